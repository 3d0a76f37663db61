use proptest::prelude::*;

use super::trees::trees;
use crate::expr::System;
use crate::expr::parse::{expression, rows};

/// An expression with all parentheses.
fn grouped(text: &str) -> String {
    use crate::expr::ast::{Expr, Id, Node};
    fn go(e: &Expr, id: Id) -> String {
        match &e.nodes[id] {
            Node::Number(x) => x.to_string(),
            Node::Name(name) => name.clone(),
            Node::Neg(a) => format!("(-{})", go(e, *a)),
            Node::Binary(op, a, b) => {
                format!("({}{}{})", go(e, *a), op.sign().trim(), go(e, *b))
            }
            Node::Call(f, a) => {
                let a: Vec<_> = a.iter().map(|a| go(e, *a)).collect();
                format!("{}({})", f.name(), a.join(","))
            }
            Node::If(c, [a, b, x, y]) => {
                let sign = c.sign().trim();
                let [a, b, x, y] = [a, b, x, y].map(|id| go(e, *id));
                format!("if({a}{sign}{b},{x},{y})")
            }
        }
    }
    let e = expression(text).unwrap();
    go(&e, e.nodes.len() - 1)
}

#[test]
fn operators_bind_as_in_mathematics() {
    for (text, expected) in [
        ("a + b*c", "(a+(b*c))"),
        ("a*b + c", "((a*b)+c)"),
        ("a - b - c", "((a-b)-c)"),
        ("a/b/c", "((a/b)/c)"),
        ("a/b*c", "((a/b)*c)"),
        ("a^b^c", "(a^(b^c))"),
        ("a**b**c", "(a^(b^c))"),
        ("-x^2", "(-(x^2))"),
        ("-x*y", "((-x)*y)"),
        ("-x + y", "((-x)+y)"),
        ("a*-b", "(a*(-b))"),
        ("a - -b", "(a-(-b))"),
        ("--a", "(-(-a))"),
        ("+a", "a"),
        ("2^-x", "(2^(-x))"),
        ("2^-x*y", "((2^(-x))*y)"),
        ("2^-x^2", "(2^(-(x^2)))"),
        ("(-x)^2", "((-x)^2)"),
        ("a*b^c", "(a*(b^c))"),
        ("(a + b)*c", "((a+b)*c)"),
        ("x² − y³·z", "((x^2)-((y^3)*z))"),
        ("2^x²", "(2^(x^2))"),
        ("-x²", "(-(x^2))"),
        ("x¹²", "(x^12)"),
        ("1.5e-3*.5 + 2. + 1E2", "(((0.0015*0.5)+2)+100)"),
        ("1e−3", "0.001"),
        ("α₁*β_2", "(α₁*β_2)"),
        ("pow(a, b + 1)", "(a^(b+1))"),
        ("log(x)", "ln(x)"),
        ("heaviside(x)", "step(x)"),
        ("where(x ≥ 1, a, -b)", "if(x>=1,a,(-b))"),
        ("if(x + 1 < 2*y, a, b)", "if((x+1)<(2*y),a,b)"),
        ("min(a,\n b)", "min(a,b)"),
        ("a +\n b", "(a+b)"),
    ] {
        assert_eq!(grouped(text), expected, "{text}");
    }
}

#[test]
fn equations_in_every_form() {
    for text in [
        "x' = y; y' = -x",
        "dx/dt = y, dy/dt = -x;",
        "x = y\n\n y = -x\n",
        "x′ = y ; y' = -x;;",
    ] {
        let rows = rows(text).unwrap();
        let entries: Vec<_> = rows.iter().flatten().collect();
        let names: Vec<_> = entries
            .iter()
            .map(|e| e.name.as_ref().unwrap().0.as_str())
            .collect();
        assert_eq!(names, ["x", "y"], "{text}");
        assert_eq!(entries[1].expr.to_string(), "-x", "{text}");
    }
    let matrix = rows("a, b; c, min(d, e)").unwrap();
    assert_eq!(matrix.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn depth_is_limited_and_length_is_not() {
    const N: usize = 100_000;
    for deep in [
        "(".repeat(N),
        "-".repeat(N),
        "2^".repeat(N),
        "sin(".repeat(N),
        "if(x<".repeat(N),
        "x^-(+".repeat(N),
        format!("{}x{}", "(".repeat(N), ")".repeat(N)),
    ] {
        let error = System::builder().drift(deep).build().unwrap_err();
        assert!(error.message.contains("nested"), "{error}");
        assert!(error.to_string().len() < 1000);
    }
    let long = format!("x{}", " + x".repeat(N));
    let e = expression(&long).unwrap();
    assert_eq!(e.to_string(), long);
    System::builder().drift(long).build().unwrap();
    let powers = format!("x{}", "²".repeat(400));
    System::builder().drift(powers).build().unwrap();
    // A chain of divisions is as deep as it is long.
    System::builder()
        .drift(format!("x{}", "/t".repeat(N)))
        .build()
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_printed_is_read_back(tree in trees(48)) {
        let text = tree.to_string();
        let again = expression(&text).map_err(|f| TestCaseError::fail(f.of("it", &text).to_string()))?;
        prop_assert_eq!(&again, &tree, "{}", text);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn no_text_panics(text in "\\PC*", other in "[-−+*/^²()<>=≤,;.'0-9xyte \n]{0,40}") {
        for text in [text, other] {
            let built = System::builder().drift(text.clone()).diffusion(text.clone()).build();
            if let Err(error) = built {
                prop_assert!(!error.to_string().is_empty());
            }
            let _ = System::builder().component(&text, &text).event(text.clone()).build();
            let _ = System::builder().drift("x").param(text, 1.0).build();
        }
    }
}
