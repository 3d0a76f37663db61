//! The command line that makes the same results again.

/// Options that say where results go, and those that go with them.
const PLACES: [&str; 4] = ["--out", "-o", "--paths", "--max-bytes"];

/// The command line that is running, as a shell takes it, without the places of its results.
pub(super) fn command() -> String {
    let arguments = std::env::args_os().skip(1);
    again(arguments.map(|argument| argument.to_string_lossy().into_owned()))
}

fn again(mut arguments: impl Iterator<Item = String>) -> String {
    let mut parts = vec!["fokker".to_owned()];
    while let Some(argument) = arguments.next() {
        if PLACES.contains(&argument.as_str()) {
            arguments.next();
            continue;
        }
        let glued = |place: &str| match place.starts_with("--") {
            true => argument.starts_with(&format!("{place}=")),
            false => argument.starts_with(place),
        };
        if !PLACES.iter().any(|place| glued(place)) {
            parts.push(quoted(argument));
        }
    }
    parts.join(" ")
}

fn quoted(part: String) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=:,+".contains(c);
    match part.chars().all(plain) && !part.is_empty() {
        true => part,
        false => format!("'{}'", part.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_are_left_out() {
        let given = "simulate ou -o a --steps 10 --out=b -oc --paths p.npy --max-bytes 1GB -n 5";
        let again = super::again(given.split(' ').map(String::from));
        assert_eq!(again, "fokker simulate ou --steps 10 -n 5");
        let drift = ["simulate", "--drift", "-x it's"].map(String::from);
        assert_eq!(
            super::again(drift.into_iter()),
            r"fokker simulate --drift '-x it'\''s'"
        );
    }
}
