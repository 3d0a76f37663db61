//! From texts to a system.

use super::ast::Expr;
use super::error::{ExprError, Fault, Span};
use super::graph::Graph;
use super::names::Scope;
use super::noise::Diffusion;
use super::parse;
use super::system::{System, Text};
use crate::process::{Calculus, NoiseKind};

/// Collects the texts of a [`System`]; [`SystemBuilder::build`] reads them.
#[derive(Clone, Debug, Default)]
pub struct SystemBuilder {
    drift: Option<String>,
    components: Vec<(String, String)>,
    names: Vec<String>,
    diffusion: Option<String>,
    event: Option<String>,
    parameters: Vec<(String, f64)>,
    calculus: Option<Calculus>,
}

const DRIFT: &str = "the drift";

/// The drift of one component, with the text that its spans are about.
struct Equation {
    expr: Expr,
    place: String,
    text: String,
}

impl SystemBuilder {
    /// All components of the drift: `"-theta*x"`, a list `"y, -x"`, or equations
    /// `"x' = y; y' = -x"`, which name the components. In a list the components are called `x0`,
    /// `x1`, … unless [`names`](Self::names) says otherwise, and a single one is called `x`.
    pub fn drift(mut self, text: impl Into<String>) -> Self {
        self.drift = Some(text.into());
        self
    }

    /// One more component, with its drift.
    pub fn component(mut self, name: impl Into<String>, drift: impl Into<String>) -> Self {
        self.components.push((name.into(), drift.into()));
        self
    }

    /// The names of the components of a drift that is a list.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The diffusion. For one component an expression, or several with `,` between them for as many
    /// noises. For D components D expressions with `,` between them, each for a noise of its own
    /// (diagonal), or a matrix of D rows with `;` between them.
    pub fn diffusion(mut self, text: impl Into<String>) -> Self {
        self.diffusion = Some(text.into());
        self
    }

    /// The value of a parameter. The program is compiled for it.
    pub fn param(mut self, name: impl Into<String>, value: f64) -> Self {
        self.parameters.push((name.into(), value));
        self
    }

    /// An expression at whose zero a trajectory stops.
    pub fn event(mut self, text: impl Into<String>) -> Self {
        self.event = Some(text.into());
        self
    }

    /// What g dW means. The default is Itô.
    pub fn calculus(mut self, calculus: Calculus) -> Self {
        self.calculus = Some(calculus);
        self
    }

    /// Reads and compiles the texts.
    ///
    /// # Errors
    /// What is wrong with a text, a name or a parameter, and where.
    pub fn build(self) -> Result<System, ExprError> {
        let mut scope = Scope::new();
        let equations = self.equations(&mut scope)?;
        let states = equations.len();
        let names = scope.names()[..states].to_vec();
        for (name, value) in &self.parameters {
            scope.add_parameter(name, *value)?;
        }

        let mut graph = Graph::default();
        let mut outputs = Vec::with_capacity(states);
        for equation in &equations {
            let value = graph.lower(&equation.expr, &mut scope);
            outputs.push(value.map_err(|f| f.of(&equation.place, &equation.text))?);
        }
        let drift = graph.compile(&outputs, states, 0);

        let mut graph = Graph::default();
        let text = self.diffusion.as_deref().unwrap_or("");
        let noise = match &self.diffusion {
            None => Diffusion::none(states),
            Some(_) => parse::rows(text)
                .and_then(|rows| Diffusion::new(rows, states, text, &mut graph, &mut scope))
                .map_err(|fault| fault.of("the diffusion", text))?,
        };
        let kind: NoiseKind = noise.kind(&graph);
        let noises = noise.noises;
        let product = noise.product(&mut graph);
        let diffusion = graph.compile(&product, states, noises);

        let mut event = None;
        if let Some(text) = &self.event {
            let compiled = compile_event(text, states, &mut scope);
            event = Some(compiled.map_err(|fault| fault.of("the event", text))?);
        }
        let (event_text, event) = event.unzip();

        Ok(System {
            names,
            unused: scope.unused(),
            parameters: self.parameters,
            drift,
            diffusion,
            event,
            noises,
            kind,
            calculus: self.calculus.unwrap_or(Calculus::Ito),
            text: Text {
                drift: equations.into_iter().map(|e| e.expr).collect(),
                diffusion: noise.into_text(),
                event: event_text,
            },
        })
    }

    /// The equations; their names are added to the scope.
    fn equations(&self, scope: &mut Scope) -> Result<Vec<Equation>, ExprError> {
        if !self.components.is_empty() {
            return self.separate_equations(scope);
        }
        let text = self.drift.as_deref().unwrap_or("");
        let refuse = |fault: Fault| fault.of(DRIFT, text);
        let whole = Span::new(0, text.len());
        let entries = parse::rows(text).map_err(refuse)?;
        let entries: Vec<_> = entries.into_iter().flatten().collect();
        if entries.is_empty() {
            let fault = Fault::new(whole, "there is no equation");
            return Err(refuse(
                fault.hint("write for example -x or x' = y; y' = -x"),
            ));
        }
        let equations = entries.iter().filter(|e| e.name.is_some()).count();
        if let Some(bare) = entries.iter().find(|e| e.name.is_none())
            && equations > 0
        {
            let fault = Fault::new(bare.expr.span(), "this equation has no left side");
            return Err(refuse(fault.hint("write x' = …")));
        }
        if equations > 0 {
            for (i, entry) in entries.iter().enumerate() {
                if let Some((name, span)) = &entry.name {
                    scope.add_state(name, i, *span).map_err(refuse)?;
                }
            }
        }
        if !self.names.is_empty() && (equations > 0 || self.names.len() != entries.len()) {
            let names = self.names.join(", ");
            let fault = Fault::new(
                Span::new(0, names.len()),
                match equations {
                    0 => format!(
                        "{} for {}",
                        counted(self.names.len(), "name"),
                        counted(entries.len(), "equation")
                    ),
                    _ => "the equations name the components already".to_owned(),
                },
            );
            return Err(fault.of("the names", &names));
        }
        if equations == 0 {
            for i in 0..entries.len() {
                let name = match (self.names.get(i), entries.len()) {
                    (Some(name), _) => name.clone(),
                    (_, 1) => "x".to_owned(),
                    _ => format!("x{i}"),
                };
                let span = Span::new(0, name.len());
                (scope.add_state(&name, i, span)).map_err(|fault| fault.of("the names", &name))?;
            }
        }
        if entries.len() == 1 && equations == 0 {
            scope.add_alias("x", 0);
            scope.add_alias("x0", 0);
        }
        let equation = |entry: parse::Entry| Equation {
            expr: entry.expr,
            place: DRIFT.to_owned(),
            text: text.to_owned(),
        };
        Ok(entries.into_iter().map(equation).collect())
    }

    /// The equations that were given one by one.
    fn separate_equations(&self, scope: &mut Scope) -> Result<Vec<Equation>, ExprError> {
        let (name, _) = &self.components[0];
        if self.drift.is_some() || !self.names.is_empty() {
            let fault = Fault::new(
                Span::new(0, name.len()),
                "a component besides a whole drift or its names",
            );
            return Err(fault.of("the components", name));
        }
        let mut equations = Vec::new();
        for (i, (name, text)) in self.components.iter().enumerate() {
            let span = Span::new(0, name.len());
            scope
                .add_state(name, i, span)
                .map_err(|fault| fault.of("the names", name))?;
            let place = format!("the drift of {name}");
            let expr = parse::expression(text).map_err(|fault| fault.of(&place, text))?;
            equations.push(Equation {
                expr,
                place,
                text: text.clone(),
            });
        }
        Ok(equations)
    }
}

/// "1 name", "2 names".
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn compile_event(
    text: &str,
    states: usize,
    scope: &mut Scope,
) -> Result<(Expr, super::Program), Fault> {
    let expr = parse::expression(text)?;
    let mut graph = Graph::default();
    let value = graph.lower(&expr, scope)?;
    if graph.inputs(value).is_empty() {
        let fault = Fault::new(expr.span(), "an event that never changes");
        return Err(fault.hint("it must depend on the state or on the time"));
    }
    let program = graph.compile(&[value], states, 0);
    Ok((expr, program))
}
