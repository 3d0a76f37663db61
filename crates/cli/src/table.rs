//! Tables of points, as `fokker sample` writes them.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// The points of a CSV file with `dim` columns, row by row, and their classes.
pub(crate) fn read_table(
    path: &Path,
    dim: usize,
    classes: &[String],
) -> Result<(Vec<f32>, Vec<Option<u32>>)> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    table(&text, dim, classes).with_context(|| format!("{shown}: no table of points"))
}

/// The points of a CSV table with `dim` columns, as `fokker sample` writes it: perhaps a line of names, and perhaps one
/// more column of class names.
fn table(text: &str, dim: usize, classes: &[String]) -> Result<(Vec<f32>, Vec<Option<u32>>)> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    let lines = text
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let names = fields[0].parse::<f32>().is_err();
        if names && number == 1 {
            continue;
        }
        if fields.len() != dim && fields.len() != dim + 1 {
            let got = fields.len();
            bail!("line {number}: expected {dim} numbers (and perhaps a class), got {got} fields");
        }
        for field in &fields[..dim] {
            match field.parse::<f32>() {
                Ok(v) if v.is_finite() => values.push(v),
                _ => bail!("line {number}: expected a finite number, got \"{field}\""),
            }
        }
        labels.push(match fields.get(dim).map(|f| f.trim_matches('"')) {
            None | Some("none") => None,
            Some(_) if classes.is_empty() => None,
            Some(name) => match classes.iter().position(|c| c == name) {
                Some(k) => Some(k as u32),
                None => bail!(
                    "line {number}: unknown class \"{name}\"; this run knows {}",
                    classes.join(", ")
                ),
            },
        });
    }
    if labels.is_empty() {
        bail!("it holds no rows");
    }
    Ok((values, labels))
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn tables_of_points() {
        let classes = ["up".to_owned(), "down".to_owned()];
        let read = |text| table(text, 2, &classes);
        let (values, labels) = read("x0,x1,class\n1,2.5,up\n\n-3e-1, 4 ,none\n").unwrap();
        assert_eq!(values, [1.0, 2.5, -0.3, 4.0]);
        assert_eq!(labels, [Some(0), None]);
        assert_eq!(read("1,2\n3,4").unwrap().1, [None, None]);
        for (text, what) in [
            ("", "no rows"),
            ("x0,x1\n", "no rows"),
            ("1,2\n3", "line 2"),
            ("1,2,up,4", "got 4 fields"),
            ("1,nan", "finite"),
            ("1,2\nx,y", "\"x\""),
            ("1,2,left", "unknown class \"left\""),
        ] {
            let error = format!("{:#}", read(text).unwrap_err());
            assert!(error.contains(what), "{text:?}: {error}");
        }
    }
}
