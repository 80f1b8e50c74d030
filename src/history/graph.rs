//! Lines of history drawn beside the commits. Pure: ids and parents in, text out.
//!
//! A column is a line of history on its way down to the commit that it waits for; no two wait for the same one. Where a
//! commit has several parents its column splits, and where its parent is waited for already its column ends there.
//! Straight history is one column.

use crate::id::CommitId;

/// The letters of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Box drawing.
    Unicode,
    /// `|`, `/`, `\` and `_`.
    Ascii,
}

/// A drawing as far as it has come.
#[derive(Clone, Debug)]
pub struct Graph {
    style: Style,
    /// What each column waits for; a free one may be taken again.
    columns: Vec<Option<CommitId>>,
}

/// What is drawn beside one commit: one line with its mark, one more where lines meet or part, and then as many as its
/// text needs. All are equally wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Beside the first line of text.
    pub node: String,
    /// Beside the second, or on a line of its own.
    pub link: Option<String>,
    /// Beside all others.
    pub rest: String,
}

impl Row {
    /// What stands before line `n` of the commit's text, counted from 0.
    pub fn prefix(&self, n: usize) -> &str {
        match (n, &self.link) {
            (0, _) => &self.node,
            (1, Some(link)) => link,
            _ => &self.rest,
        }
    }

    /// Lines that must be shown even if the text has fewer.
    pub fn lines(&self) -> usize {
        1 + usize::from(self.link.is_some())
    }
}

/// How a column takes part in a link line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// The commit's parent is waited for there, and the column goes on.
    Joins,
    /// The column waits for the same parent as the commit's own, which goes on instead.
    Ends,
    /// The column begins, for one more parent.
    Begins,
}

impl Graph {
    /// An empty drawing.
    pub fn new(style: Style) -> Graph {
        Graph { style, columns: Vec::new() }
    }

    /// Draws the next commit, children before parents.
    pub fn row(&mut self, id: CommitId, parents: &[CommitId], is_at: bool) -> Row {
        let own = self.column_of(id);
        let before = self.columns.clone();
        let links = self.go_on(own, parents, &before);
        let mark = if is_at { '@' } else { '*' };
        let mut node = self.verticals(&before);
        node[2 * own] = mark;
        let link = (!links.is_empty()).then(|| match self.style {
            Style::Unicode => self.boxes(own, &before, &links),
            Style::Ascii => self.slashes(own, &before, &links),
        });
        while self.columns.last() == Some(&None) {
            self.columns.pop();
        }
        let rest = self.verticals(&self.columns);
        let width = [node.len(), link.as_ref().map_or(0, Vec::len), rest.len()].into_iter().max().unwrap_or(0);
        let text = |mut line: Vec<char>| -> String {
            line.resize(width, ' ');
            line.into_iter().collect()
        };
        Row { node: text(node), link: link.map(text), rest: text(rest) }
    }

    /// The column that waits for a commit, or the first free one for a commit that nothing grew from.
    fn column_of(&mut self, id: CommitId) -> usize {
        let waiting = self.columns.iter().position(|column| *column == Some(id));
        let column = waiting.or_else(|| self.columns.iter().position(Option::is_none)).unwrap_or(self.columns.len());
        if column == self.columns.len() {
            self.columns.push(None);
        }
        self.columns[column] = Some(id);
        column
    }

    /// Lets the columns wait for the parents instead of the commit.
    fn go_on(&mut self, own: usize, parents: &[CommitId], before: &[Option<CommitId>]) -> Vec<(usize, Link)> {
        self.columns[own] = None;
        let mut links = Vec::new();
        for &parent in parents {
            let waiting = self.columns.iter().position(|column| *column == Some(parent));
            match waiting {
                // The line that goes on is the one further left.
                Some(other) if other > own && self.columns[own].is_none() => {
                    self.columns[own] = Some(parent);
                    self.columns[other] = None;
                    links.push((other, Link::Ends));
                }
                Some(other) => links.push((other, Link::Joins)),
                None if self.columns[own].is_none() => self.columns[own] = Some(parent),
                None => {
                    let is_free = |n: &usize| self.columns[*n].is_none() && before.get(*n).is_none_or(Option::is_none);
                    let free = (own + 1..self.columns.len()).find(is_free);
                    let column = free.unwrap_or(self.columns.len());
                    if free.is_none() {
                        self.columns.push(None);
                    }
                    self.columns[column] = Some(parent);
                    links.push((column, Link::Begins));
                }
            }
        }
        links
    }

    fn vertical(&self) -> char {
        if self.style == Style::Unicode { '│' } else { '|' }
    }

    /// One letter a column, with a space between.
    fn verticals(&self, columns: &[Option<CommitId>]) -> Vec<char> {
        let mut line = vec![' '; (2 * columns.len()).saturating_sub(1)];
        for (n, _) in columns.iter().enumerate().filter(|(_, column)| column.is_some()) {
            line[2 * n] = self.vertical();
        }
        line
    }

    /// The link line in box drawing: each place by the directions that it is connected to.
    fn boxes(&self, own: usize, before: &[Option<CommitId>], links: &[(usize, Link)]) -> Vec<char> {
        let mut line = self.verticals(&self.columns);
        let (first, last) = span(own, links);
        for (n, place) in line.iter_mut().enumerate().take(2 * last + 1).skip(2 * first) {
            let column = n / 2;
            let is_connected = n % 2 == 0 && (column == own || links.iter().any(|link| link.0 == column));
            if !is_connected {
                if *place == ' ' {
                    *place = '─';
                }
                continue;
            }
            let up = before.get(column).is_some_and(Option::is_some);
            let down = self.columns[column].is_some();
            *place = corner(up, down, column > first, column < last);
        }
        line
    }

    /// The link line in letters that every terminal has.
    fn slashes(&self, own: usize, before: &[Option<CommitId>], links: &[(usize, Link)]) -> Vec<char> {
        let mut line = self.verticals(&self.columns);
        let mut draw = |from: usize, to: usize, fill: char, end: (usize, char)| {
            for place in &mut line[from..to] {
                if *place == ' ' {
                    *place = fill;
                }
            }
            line[end.0] = end.1;
        };
        for &(column, link) in links {
            match link {
                Link::Joins if column < own => draw(2 * column + 1, 2 * own - 1, '_', (2 * own - 1, '/')),
                Link::Joins => draw(2 * own + 2, 2 * column, '_', (2 * own + 1, '\\')),
                Link::Ends => draw(2 * own + 1, 2 * column - 1, '_', (2 * column - 1, '/')),
                Link::Begins => draw(2 * own + 1, 2 * column - 1, '-', (2 * column - 1, '\\')),
            }
        }
        for &(column, _) in links.iter().filter(|link| link.1 == Link::Begins) {
            debug_assert!(before.get(column).is_none_or(Option::is_none), "a column begins where there was none");
            line[2 * column] = ' ';
        }
        line
    }
}

/// The columns that a link line reaches from and to.
fn span(own: usize, links: &[(usize, Link)]) -> (usize, usize) {
    links.iter().fold((own, own), |(first, last), link| (first.min(link.0), last.max(link.0)))
}

fn corner(up: bool, down: bool, left: bool, right: bool) -> char {
    match (up, down, left, right) {
        (true, true, true, true) => '┼',
        (true, true, true, false) => '┤',
        (true, true, false, true) => '├',
        (true, false, true, true) => '┴',
        (true, false, true, false) => '┘',
        (true, false, false, true) => '└',
        (false, true, true, true) => '┬',
        (false, true, true, false) => '┐',
        (false, true, false, true) => '┌',
        (true, true, false, false) => '│',
        _ => '─',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: char) -> CommitId {
        CommitId([name as u8; 32])
    }

    /// Draws commits given as `A:BC`, a name and its parents, `!` before the current one.
    fn draw(style: Style, commits: &str) -> String {
        let mut graph = Graph::new(style);
        let mut drawing = String::new();
        for commit in commits.split(' ') {
            let (name, parents) = commit.trim_start_matches('!').split_once(':').unwrap();
            let parents: Vec<CommitId> = parents.chars().map(id).collect();
            let row = graph.row(id(name.chars().next().unwrap()), &parents, commit.starts_with('!'));
            for n in 0..row.lines() {
                let text = if n == 0 { name } else { "" };
                drawing.push_str(&format!("\n{}", format!("{} {text}", row.prefix(n)).trim_end()));
            }
        }
        drawing
    }

    #[test]
    fn straight_history_is_one_column() {
        assert_eq!(draw(Style::Unicode, "!C:B B:A A:"), "\n@ C\n* B\n* A");
    }

    const FORK: &str = "D:B !C:A B:A A:";

    #[test]
    fn a_fork_joins_the_line_of_its_parent() {
        assert_eq!(
            draw(Style::Unicode, FORK),
            "
* D
│ @ C
* │ B
├─┘
* A"
        );
        assert_eq!(
            draw(Style::Ascii, FORK),
            "
* D
| @ C
* | B
|/
* A"
        );
    }

    const MERGE: &str = "E:DC D:B C:B B:A A:";

    #[test]
    fn a_merge_splits_into_the_lines_of_its_parents() {
        assert_eq!(
            draw(Style::Unicode, MERGE),
            "
*   E
├─┐
* │ D
│ * C
├─┘
* B
* A"
        );
        assert_eq!(
            draw(Style::Ascii, MERGE),
            "
*   E
|\\
* | D
| * C
|/
* B
* A"
        );
    }

    const WIDE: &str = "F:A E:B D:A C:A B:A A:";

    #[test]
    fn lines_are_crossed_on_the_way_to_a_parent() {
        assert_eq!(
            draw(Style::Unicode, WIDE),
            "
* F
│ * E
│ │ * D
├─│─┘
│ │ * C
├─│─┘
│ * B
├─┘
* A"
        );
        assert_eq!(
            draw(Style::Ascii, WIDE),
            "
* F
| * E
| | * D
|_|/
| | * C
|_|/
| * B
|/
* A"
        );
    }

    const OCTOPUS: &str = "F:ABC G:B C:A B:A A: Z:";

    #[test]
    fn three_parents_and_unrelated_roots() {
        assert_eq!(
            draw(Style::Unicode, OCTOPUS),
            "
*     F
├─┬─┐
│ │ │ * G
│ ├─│─┘
│ │ * C
├─│─┘
│ * B
├─┘
* A
* Z"
        );
        assert_eq!(
            draw(Style::Ascii, OCTOPUS),
            "
*     F
|\\ \\
| | | * G
| |_|/
| | * C
|_|/
| * B
|/
* A
* Z"
        );
    }

    #[test]
    fn a_merge_with_a_line_that_is_there_already() {
        assert_eq!(
            draw(Style::Unicode, "A:B X:YB B:Y Y:"),
            "
* A
│ * X
├─┤
* │ B
├─┘
* Y"
        );
        assert_eq!(
            draw(Style::Ascii, "A:B X:YB B:Y Y:"),
            "
* A
| * X
|/|
* | B
|/
* Y"
        );
    }

    #[test]
    fn every_line_of_a_row_is_equally_wide_and_the_rest_goes_on_below() {
        let mut graph = Graph::new(Style::Unicode);
        let row = graph.row(id('E'), &[id('D'), id('C')], false);
        assert_eq!((row.prefix(0), row.prefix(1), row.prefix(2), row.prefix(9)), ("*  ", "├─┐", "│ │", "│ │"));
        assert_eq!(row.lines(), 2);
    }
}
