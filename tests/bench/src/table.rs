//! Tables for people and for a page: one form, aligned Markdown.

/// Cells under a head.
pub struct Sheet {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// With its columns.
    pub fn new(title: impl Into<String>, head: &[&str]) -> Self {
        Self { title: title.into(), rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// One row more.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        (0..columns).map(|column| width(column).unwrap_or(0)).collect()
    }

    /// Aligned columns.
    pub fn text(&self) -> String {
        let widths = self.widths();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let lines: Vec<_> = self.rows.iter().map(line).collect();
        format!("{}\n{}\n", self.title, lines.join("\n"))
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        let line = |row: &Vec<String>| format!("| {} |", row.join(" | "));
        let rule = format!("|---|{}", "---:|".repeat(self.widths().len().saturating_sub(1)));
        let body: Vec<_> = self.rows[1..].iter().map(line).collect();
        format!("**{}**\n\n{}\n{rule}\n{}\n", self.title, line(&self.rows[0]), body.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let mut sheet = Sheet::new("Cost", &["what", "CPU-s"]);
        sheet.row(["decode".to_owned(), "1.0".to_owned()]);
        assert_eq!(sheet.text(), "Cost\nwhat    CPU-s\ndecode    1.0\n");
        assert_eq!(sheet.markdown(), "**Cost**\n\n| what | CPU-s |\n|---|---:|\n| decode | 1.0 |\n");
    }
}
