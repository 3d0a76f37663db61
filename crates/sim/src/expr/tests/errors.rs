use crate::expr::{ExprError, System};

/// The error of a drift; θ and σ are parameters.
fn refused(drift: &str) -> ExprError {
    let system = System::builder().drift(drift);
    let system = system.param("theta", 0.25).param("sigma", 1.0);
    system.build().expect_err(drift)
}

/// The column of the mistake and its length, in characters.
fn place(error: &ExprError) -> (usize, usize) {
    let (start, end) = (error.span.start, error.span.end);
    (
        error.text[..start].chars().count(),
        error.text[start..end].chars().count(),
    )
}

#[test]
fn every_mistake_is_pointed_at() {
    for (text, column, length, message, hint) in [
        ("-thta*x", 1, 4, "unknown name `thta`", "`theta`"),
        ("α", 0, 1, "unknown name `α`", "parameter"),
        ("x + Theta", 4, 5, "unknown name", "`theta`"),
        ("x*tau", 2, 3, "unknown name `tau`", "2*pi"),
        ("x − y", 4, 1, "unknown name `y`", "x' ="),
        ("−−− x·µ + sin(x)", 6, 1, "unknown name `µ`", ""),
        ("2x", 1, 1, "an operator is missing", "2*x"),
        ("2e", 1, 1, "an operator is missing", "2*e"),
        ("sigma x", 6, 1, "an operator is missing", "sigma*x"),
        ("2(x + 1)", 1, 1, "an operator is missing", "2*(…)"),
        ("(x)(x)", 3, 1, "an operator is missing", "`*`"),
        ("(x)2", 3, 1, "an operator is missing", "`*`"),
        ("x²x", 2, 1, "an operator is missing", "`*`"),
        ("x(1 + x)", 0, 1, "unknown function `x`", "x*(…)"),
        ("1 + sen(x)", 4, 3, "unknown function `sen`", "`sin`"),
        ("1 + sin", 4, 3, "`sin` is a function", "sin(…)"),
        ("sin(x, x)", 0, 9, "takes 1 argument, not 2", ""),
        ("x + min(x)", 4, 6, "takes 2 arguments, not 1", ""),
        ("x + exp()", 4, 5, "takes 1 argument, not 0", ""),
        ("clamp(x, 1)", 0, 11, "takes 3 arguments, not 2", ""),
        ("(x + 1", 0, 1, "never closed", ""),
        ("x*sin(x", 5, 1, "never closed", ""),
        ("x + 1)", 5, 1, "never opened", ""),
        ("x +", 3, 0, "not the end", ""),
        ("x + *2", 4, 1, "not `*`", ""),
        ("()", 1, 1, "not `)`", ""),
        ("x; ,x", 3, 1, "not `,`", ""),
        ("", 0, 0, "there is no equation", "x' = y"),
        (" ; ", 0, 3, "there is no equation", "x' = y"),
        (
            "x < 1",
            2,
            1,
            "a comparison is not a number",
            "if(x < 0, a, b)",
        ),
        ("1 + (x > 1)", 7, 1, "a comparison is not a number", "if("),
        ("if(x, 1, 2)", 4, 1, "a comparison is expected", "if(x < 0"),
        ("if(x < 1, 2)", 11, 1, "`if` takes 3 arguments", "if(x < 0"),
        ("if(x < 1, 2, 3, 4)", 14, 1, "`)` is expected", ""),
        (
            "if(0 < x < 1, 2, 3)",
            9,
            1,
            "a second comparison",
            "if(a < x, if(",
        ),
        ("if(x == 1, 2, 3)", 5, 2, "`==` is not understood", "<="),
        ("|x|", 0, 1, "`|` is not understood", "abs"),
        ("x + [1]", 4, 1, "`[` is not understood", "("),
        ("√x", 0, 1, "not understood", "sqrt"),
        ("x + 1.2.3", 7, 1, "a second point", ""),
        ("x + .", 4, 1, "`.` is not a number", "0.5"),
        ("1e999*x", 0, 5, "too large", "1.79e308"),
        ("x + 1/0", 4, 3, "inf, not a finite number", ""),
        ("x*sqrt(-theta)", 2, 12, "NaN, not a finite number", ""),
        ("x'' = 1", 1, 1, "a derivative", "="),
        ("x' = y; y", 8, 1, "has no left side", "x' = …"),
        ("x' = 1; -x", 8, 2, "has no left side", "x' = …"),
        (
            "x' = 1; x' = 2",
            8,
            1,
            "a component of the state already",
            "",
        ),
        ("t' = 1", 0, 1, "`t` is the time", "another name"),
        ("e' = 1", 0, 1, "`e` is a constant", "another name"),
        ("dsin/dt = 1", 1, 3, "`sin` is a function", "another name"),
        (
            "θ' = ω\nω' = −sin(θ) − γ",
            22,
            1,
            "unknown name `γ`",
            "parameter",
        ),
    ] {
        let error = refused(text);
        let about = error.to_string();
        assert_eq!(place(&error), (column, length), "{about}");
        assert!(error.message.contains(message), "{about}");
        assert!(about.contains(hint), "{about} has no {hint}");
    }
}

#[test]
fn the_caret_stands_under_the_character() {
    assert_eq!(
        refused("-thta*x").to_string(),
        "unknown name `thta` in the drift\n  -thta*x\n   ^^^^ did you mean `theta`?\n\
         known names: x, t, theta, sigma"
    );
    for text in ["α′ = −β·@", "q' = 1\np' = 2 + §", "a\t* \u{1F600}"] {
        let shown = refused(text).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let column = lines[2].find('^').unwrap();
        let above = lines[1].chars().nth(column).unwrap();
        assert!("@§\u{1F600}a".contains(above), "{shown}");
    }
    // Of a long line only the part around the mistake is shown.
    let long = format!("{}yy + {}", "x + ".repeat(100), "x + ".repeat(100) + "x");
    let shown = refused(&long).to_string();
    let lines: Vec<Vec<char>> = shown.lines().map(|l| l.chars().collect()).collect();
    assert!(lines[1].len() < 130);
    let column = lines[2].iter().position(|c| *c == '^').unwrap();
    assert_eq!(lines[1][column..column + 2], ['y', 'y']);
}

#[test]
fn parameters_are_checked() {
    let base = || System::builder().drift("-theta*x");
    for (name, value, message, column) in [
        (
            "theta",
            f64::NAN,
            "parameter `theta` must be finite, got NaN",
            8,
        ),
        ("theta", f64::INFINITY, "must be finite, got inf", 8),
        ("x", 1.0, "a component of the state already", 0),
        ("t", 1.0, "`t` is the time", 0),
        ("pi", 1.0, "`pi` is a constant", 0),
        ("exp", 1.0, "`exp` is a function", 0),
        ("if", 1.0, "`if` is a function", 0),
        ("2a", 1.0, "cannot be a name", 0),
        ("", 1.0, "cannot be a name", 0),
        ("a-b", 1.0, "cannot be a name", 0),
    ] {
        let error = base().param(name, value).build().unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!(place(&error).0, column, "{error}");
    }
    let twice = base().param("theta", 1.0).param("theta", 2.0).build();
    assert!(twice.unwrap_err().message.contains("a parameter already"));
    let missing = base().build().unwrap_err();
    assert_eq!(place(&missing), (1, 5));
    assert!(missing.message.contains("unknown name `theta`"));

    let unused = base()
        .param("theta", 1.0)
        .param("eta", 2.0)
        .build()
        .unwrap();
    assert_eq!(unused.unused_params(), ["eta"]);
}

#[test]
fn shapes_are_checked() {
    let system = |g: &str| {
        System::builder()
            .drift("x' = y; y' = -x")
            .diffusion(g)
            .build()
    };
    for (g, message, column) in [
        ("1", "coefficients for 2 components are needed, not 1", 0),
        ("1, 2, 3", "not 3 in a row", 0),
        ("1; 2; 3", "not 3 rows", 0),
        ("1, 2; 3", "a row of 1 coefficient", 6),
        ("x' = 1; y' = 2", "an equation in the diffusion", 0),
        ("1, z", "unknown name `z`", 3),
        (" ", "there is no coefficient", 0),
    ] {
        let error = system(g).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!(place(&error).0, column, "{error}");
        assert_eq!(&*error.place, "the diffusion");
    }
    let event = System::builder()
        .drift("-x")
        .event("1 + 2")
        .build()
        .unwrap_err();
    assert!(event.message.contains("never changes"), "{event}");
    let event = System::builder()
        .drift("-x")
        .event("x - b")
        .build()
        .unwrap_err();
    assert_eq!((place(&event), &*event.place), ((4, 1), "the event"));
    let names = System::builder().drift("-x, x").names(["a"]).build();
    assert!(
        names
            .unwrap_err()
            .message
            .contains("1 name for 2 equations")
    );
    let both = System::builder().drift("-x").component("y", "1").build();
    assert!(both.is_err());
    let of = System::builder().component("q", "p").component("p", "-qq");
    assert_eq!(&*of.build().unwrap_err().place, "the drift of p");
}
