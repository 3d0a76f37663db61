//! What the names in an expression stand for.

use std::collections::HashMap;

use super::ast::Function;
use super::error::{ExprError, Fault, Span};
use super::lex::{continues_name, starts_name};

/// The value of a named constant.
pub(super) fn constant(name: &str) -> Option<f64> {
    match name {
        "pi" | "π" => Some(std::f64::consts::PI),
        "e" => Some(std::f64::consts::E),
        _ => None,
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Symbol {
    /// The time.
    Time,
    /// Component i of the state.
    State(usize),
    /// A parameter, by its place in the list.
    Parameter(usize),
}

/// The names that an expression may use.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    symbols: HashMap<String, Symbol>,
    /// Other names for components, which a parameter may take.
    aliases: HashMap<String, usize>,
    /// In the order in which they are listed to the user.
    names: Vec<String>,
    pub(super) parameters: Vec<(String, f64)>,
    used: Vec<bool>,
}

impl Scope {
    /// The time only.
    pub(super) fn new() -> Self {
        Scope {
            symbols: HashMap::from([("t".to_owned(), Symbol::Time)]),
            aliases: HashMap::new(),
            names: vec!["t".to_owned()],
            parameters: Vec::new(),
            used: Vec::new(),
        }
    }

    /// A component of the state; `span` is where its name stands in the text that it comes from.
    pub(super) fn add_state(&mut self, name: &str, i: usize, span: Span) -> Result<(), Fault> {
        self.add(name, Symbol::State(i), span)?;
        self.names.insert(i, name.to_owned());
        Ok(())
    }

    /// Another name for component i.
    pub(super) fn add_alias(&mut self, name: &str, i: usize) {
        self.aliases.insert(name.to_owned(), i);
    }

    pub(super) fn add_parameter(&mut self, name: &str, value: f64) -> Result<(), ExprError> {
        let text = format!("{name} = {value}");
        let place = "the parameters";
        self.add(
            name,
            Symbol::Parameter(self.parameters.len()),
            Span::new(0, name.len()),
        )
        .map_err(|fault| fault.of(place, &text))?;
        if !value.is_finite() {
            let span = Span::new(name.len() + 3, text.len());
            let message = format!("parameter `{name}` must be finite, got {value}");
            return Err(Fault::new(span, message).of(place, &text));
        }
        self.names.push(name.to_owned());
        self.parameters.push((name.to_owned(), value));
        self.used.push(false);
        Ok(())
    }

    fn add(&mut self, name: &str, symbol: Symbol, span: Span) -> Result<(), Fault> {
        let mut letters = name.chars();
        if !letters.next().is_some_and(starts_name) || !letters.all(continues_name) {
            return Err(Fault::new(span, format!("`{name}` cannot be a name"))
                .hint("a name is a letter, then letters, digits and `_`"));
        }
        let taken = if name == "t" {
            "the time"
        } else if constant(name).is_some() {
            "a constant"
        } else if Function::NAMES.contains(&name) {
            "a function"
        } else {
            match (self.symbols.get(name), symbol) {
                (Some(Symbol::State(_)), _) => "a component of the state already",
                (Some(_), _) => "a parameter already",
                _ => {
                    self.symbols.insert(name.to_owned(), symbol);
                    return Ok(());
                }
            }
        };
        Err(Fault::new(span, format!("`{name}` is {taken}")).hint("choose another name"))
    }

    /// All names, the components first.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The parameters that no expression used.
    pub(super) fn unused(&self) -> Vec<String> {
        let unused = self.parameters.iter().zip(&self.used);
        let unused = unused.filter(|(_, used)| !**used);
        unused.map(|((name, _), _)| name.clone()).collect()
    }

    /// What a name stands for; a parameter is used from now on.
    pub(super) fn resolve(&mut self, name: &str) -> Option<Symbol> {
        let alias = || self.aliases.get(name).map(|i| Symbol::State(*i));
        let symbol = self.symbols.get(name).copied().or_else(alias)?;
        if let Symbol::Parameter(i) = symbol {
            self.used[i] = true;
        }
        Some(symbol)
    }

    /// What to say about a name that stands for nothing.
    pub(super) fn unknown(&self, name: &str, span: Span) -> Fault {
        let mut fault = Fault::new(span, format!("unknown name `{name}`"));
        if matches!(
            self.symbols.get(&format!("d{name}")),
            Some(Symbol::State(_))
        ) {
            return fault.hint(format!("write {name}' = … in place of d{name} = …"));
        }
        let known = self.names.iter().map(String::as_str);
        if let Some(near) = closest(name, known.chain(["pi"])) {
            fault = fault.hint(format!("did you mean `{near}`?"));
        } else if matches!(name, "tau" | "τ") {
            fault = fault.hint("give it as a parameter; if 2π is meant, write 2*pi");
        } else if matches!(name, "y" | "z") {
            fault = fault.hint("name the components: x' = …; y' = …");
        } else {
            fault = fault.hint("give its value as a parameter");
        }
        const LISTED: usize = 24;
        let mut names = self.names.iter().take(LISTED).cloned().collect::<Vec<_>>();
        if self.names.len() > LISTED {
            names.push(format!("… ({} in all)", self.names.len()));
        }
        fault.note(format!("known names: {}", names.join(", ")))
    }
}

/// The known name that is so near to a wrong one that it may be what was meant.
pub(super) fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = wrong.chars().count();
    known
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| {
            let allowed = (length.max(name.chars().count()) / 2).min(2);
            let case = wrong.to_lowercase() == name.to_lowercase();
            *distance <= allowed || case
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
