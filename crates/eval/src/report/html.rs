use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Block, Check, Report};
use crate::{font, svg::escape};

const STYLE: &str = include_str!("style.css");

pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    let title = escape(&report.title);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n"
    );
    for (weight, bytes) in [(400, font::REGULAR_WOFF2), (600, font::SEMIBOLD_WOFF2)] {
        let _ = writeln!(
            out,
            "@font-face{{font-family:Inter;font-weight:{weight};font-display:swap;\
             src:url(data:font/woff2;base64,{}) format(\"woff2\")}}",
            STANDARD.encode(bytes)
        );
    }
    let _ = writeln!(
        out,
        "@font-face{{font-family:\"Fokker Maths\";font-display:swap;src:url(data:font/woff2;base64,{}) \
         format(\"woff2\")}}",
        STANDARD.encode(font::MATHS_WOFF2)
    );
    let _ = write!(
        out,
        "{STYLE}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n"
    );
    if !report.subtitle.is_empty() {
        let _ = writeln!(
            out,
            "<p class=\"subtitle\">{}</p>",
            escape(&report.subtitle)
        );
    }
    out.push_str("</header>\n");
    if !report.tiles.is_empty() {
        out.push_str("<dl class=\"tiles\">\n");
        for [label, value, note] in &report.tiles {
            let _ = write!(
                out,
                "<div><dt>{}</dt><dd>{}</dd>",
                escape(label),
                escape(value)
            );
            if !note.is_empty() {
                let _ = write!(out, "<dd class=\"note\">{}</dd>", escape(note));
            }
            out.push_str("</div>\n");
        }
        out.push_str("</dl>\n");
    }
    for section in &report.sections {
        let _ = writeln!(out, "<section>\n<h2>{}</h2>", escape(&section.heading));
        for b in &section.blocks {
            block(&mut out, b);
        }
        out.push_str("</section>\n");
    }
    if !report.footer.is_empty() {
        let _ = writeln!(out, "<footer>{}</footer>", escape(&report.footer));
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn block(out: &mut String, block: &Block) {
    match block {
        Block::Text(text) => paragraphs(out, text),
        Block::Figure {
            wide,
            narrow,
            caption,
        } => {
            let _ = write!(
                out,
                "<figure class=\"card\"><div class=\"wide\">{wide}</div><div class=\"narrow\">{narrow}</div>"
            );
            end_figure(out, caption);
        }
        Block::Svg { svg, caption } => {
            let _ = write!(
                out,
                "<figure class=\"card\"><div class=\"scroll\">{svg}</div>"
            );
            end_figure(out, caption);
        }
        Block::Image {
            mime,
            bytes,
            dark,
            size: (w, h),
            caption,
        } => {
            out.push_str("<figure class=\"card image\"><picture>");
            if let Some(dark) = dark {
                let _ = write!(
                    out,
                    "<source media=\"screen and (prefers-color-scheme:dark)\" srcset=\"data:{mime};base64,{}\">",
                    STANDARD.encode(dark)
                );
            }
            let _ = write!(
                out,
                "<img width=\"{w}\" height=\"{h}\" alt=\"{}\" src=\"data:{mime};base64,{}\"></picture>",
                escape(caption),
                STANDARD.encode(bytes)
            );
            end_figure(out, caption);
        }
        Block::Table {
            head,
            rows,
            caption,
        } => table(out, head, rows, caption),
        Block::Checks(checks) => self::checks(out, checks),
        Block::Code { label, text } => {
            out.push_str("<div class=\"code\">");
            if !label.is_empty() {
                let _ = write!(out, "<p class=\"label\">{}</p>", escape(label));
            }
            // A focusable block can be scrolled from the keyboard.
            let _ = writeln!(
                out,
                "<pre tabindex=\"0\"><code>{}</code></pre></div>",
                escape(text.trim_end())
            );
        }
        Block::Commands { text, commands } => {
            if !text.is_empty() {
                paragraphs(out, text);
            }
            out.push_str("<div class=\"code\"><pre class=\"commands\" tabindex=\"0\"><code>");
            for command in commands {
                let _ = write!(out, "<span>{}\n</span>", escape(command));
            }
            out.push_str("</code></pre></div>\n");
        }
    }
}

/// Closed forms held against measurements: a list on a telephone, a table on a screen.
fn checks(out: &mut String, checks: &[Check]) {
    out.push_str(
        "<figure class=\"card checks\"><table>\n<thead><tr><th scope=\"col\">Check</th>\
         <th scope=\"col\" class=\"n\">Measured</th><th scope=\"col\" class=\"n\">Exact</th>\
         <th scope=\"col\">Within</th><th scope=\"col\"><span class=\"aside\">Passed</span></th></tr></thead>\n<tbody>\n",
    );
    for check in checks {
        // The words are there for those who cannot see the sign or its colour.
        let (class, sign, word) = if check.passed {
            ("pass", "✓", "passed")
        } else {
            ("fail", "✗", "failed")
        };
        let [name, measured, exact, tolerance] = &check.cells;
        let _ = writeln!(
            out,
            "<tr class=\"{class}\"><th scope=\"row\">{}</th><td class=\"n\" data-label=\"measured\">{}</td>\
             <td class=\"n\" data-label=\"exact\">{}</td><td data-label=\"within\">{}</td>\
             <td class=\"mark\"><span aria-hidden=\"true\">{sign}</span><span class=\"aside\">{word}</span></td></tr>",
            escape(name),
            escape(measured),
            escape(exact),
            escape(tolerance)
        );
    }
    out.push_str("</tbody></table></figure>\n");
}

fn end_figure(out: &mut String, caption: &str) {
    if !caption.is_empty() {
        let _ = write!(out, "<figcaption>{}</figcaption>", escape(caption));
    }
    out.push_str("</figure>\n");
}

fn paragraphs(out: &mut String, text: &str) {
    for paragraph in text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()) {
        let _ = writeln!(out, "<p>{}</p>", escape(paragraph));
    }
}

fn table(out: &mut String, head: &[String], rows: &[Vec<String>], caption: &str) {
    // Signs, units and separators may stand around the digits, letters may not.
    let number = |cell: &str| {
        let plain = cell.trim();
        plain.is_empty()
            || plain == "–"
            || (plain.contains(|c: char| c.is_ascii_digit())
                && plain
                    .chars()
                    .all(|c| !c.is_alphabetic() || matches!(c, 'e' | 'E')))
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(head.len());
    let class = |j: usize| {
        let mut cells = rows.iter().filter_map(|r| r.get(j)).peekable();
        if cells.peek().is_some() && cells.all(|c| number(c)) {
            " class=\"n\""
        } else {
            ""
        }
    };
    out.push_str("<figure class=\"card table\"><div class=\"scroll\"><table>\n<thead><tr>");
    let empty = String::new();
    for j in 0..columns {
        let _ = write!(
            out,
            "<th scope=\"col\"{}>{}</th>",
            class(j),
            escape(head.get(j).unwrap_or(&empty))
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for j in 0..columns {
            let _ = write!(
                out,
                "<td{}>{}</td>",
                class(j),
                escape(row.get(j).unwrap_or(&empty))
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>");
    end_figure(out, caption);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Pixels, Section,
        figure::{Bars, Panel, Scatter},
        metrics::Confusion,
    };

    const EVIL: &str = "<script>alert('x\"&')</script>";

    #[test]
    fn everything_is_escaped() {
        let confusion =
            Confusion::new(&[EVIL.to_owned(), "b".to_owned()], &[0, 1], &[0, 1]).unwrap();
        let pixel = Pixels::new(1, 1, 1, vec![0]).unwrap();
        let section = Section::new(EVIL)
            .text(EVIL)
            .figure(&confusion.figure(EVIL), EVIL)
            .figure(
                &Bars::new(EVIL)
                    .subtitle(EVIL)
                    .bar_with_target(EVIL, 1.0, 2.0)
                    .target_name(EVIL),
                EVIL,
            )
            .figure(
                &Scatter::new(EVIL).panel(Panel::new(EVIL).points(EVIL, vec![(0.0, 1.0)])),
                EVIL,
            )
            .table(&[EVIL], vec![vec![EVIL.into()]], EVIL)
            .check(EVIL, EVIL, EVIL, EVIL, false)
            .code(EVIL, EVIL)
            .commands(EVIL, &[EVIL])
            .picture(&pixel, EVIL)
            .unwrap();
        let html = Report::new(EVIL)
            .subtitle(EVIL)
            .tile(EVIL, EVIL, EVIL)
            .section(section)
            .footer(EVIL)
            .to_html();
        assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
        assert!(!html.contains("alert('") && !html.contains("x\"&"));
    }

    #[test]
    fn nothing_points_outside() {
        let html = Report::new("a")
            .section(Section::new("b").figure(&Bars::new("c").bar("d", 1.0), ""))
            .to_html();
        let html = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("@import"));
    }

    #[test]
    fn checks_in_a_row_share_a_table_and_say_what_they_are() {
        let html = Report::new("a")
            .section(
                Section::new("b")
                    .check(
                        "variance at t = 5",
                        "0.4981",
                        "0.5000",
                        "2.1 standard errors",
                        true,
                    )
                    .check("mean", "0.3", "0.5", "3 standard errors", false)
                    .text("between")
                    .check("other", "1", "1", "1 ulp", true),
            )
            .to_html();
        assert_eq!(html.matches("<figure class=\"card checks\"").count(), 2);
        assert_eq!(html.matches("<tr class=\"pass\"").count(), 2);
        assert_eq!(html.matches("<tr class=\"fail\"").count(), 1);
        assert!(html.contains("passed") && html.contains("failed") && html.contains("0.4981"));
    }

    #[test]
    fn ragged_tables_are_completed() {
        let rows = vec![
            vec!["a".to_owned()],
            vec!["b".to_owned(), "1.5".to_owned(), "−2×10⁻³".to_owned()],
        ];
        let mut out = String::new();
        table(&mut out, &["x".to_owned()], &rows, "");
        assert_eq!(out.matches("<td").count(), 6);
        assert_eq!(out.matches("<td class=\"n\"").count(), 4);
    }
}
