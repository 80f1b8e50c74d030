//! Draws the lines of history beside the commits of a log.

use renderdag::Ancestor;
use renderdag::pipeline::row_shape_to_prefix_lines::box_drawing::Square;
use renderdag::pipeline::types::{PrefixLineKind, PrefixLinePart};
use renderdag::pipeline::{Ascii, BoxDrawing, GraphTextRenderer};

use crate::id::CommitId;

/// Characters of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Box drawing.
    Unicode,
    /// `|`, `/`, `\`, `-`, `+`, `.` and `'`.
    Ascii,
}

/// Draws commits one after the other, children before parents.
pub struct Graph {
    renderer: GraphTextRenderer<CommitId>,
}

/// The text to the left of one commit. Every line ends with a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphRow {
    /// The line of the commit itself, and below it the line where columns join or split, if any.
    fixed: Vec<String>,
    /// Continues the columns beside all further lines of text.
    rest: String,
}

impl GraphRow {
    /// The text to the left of line `n` of the commit, counted from 0.
    pub fn prefix(&self, n: usize) -> &str {
        self.fixed.get(n).unwrap_or(&self.rest)
    }

    /// Lines to print even if the commit has fewer.
    pub fn min_lines(&self) -> usize {
        self.fixed.len()
    }
}

impl Graph {
    /// Creates a drawing without columns.
    pub fn new(style: Style) -> Graph {
        let renderer = match style {
            Style::Unicode => GraphTextRenderer::new::<BoxDrawing<Square>>(),
            Style::Ascii => GraphTextRenderer::new::<Ascii>(),
        };
        Graph { renderer }
    }

    /// Draws the next commit.
    pub fn row(&mut self, id: CommitId, parents: &[CommitId], is_current: bool) -> GraphRow {
        let parents = parents.iter().copied().map(Ancestor::Parent).collect();
        let mut row = GraphRow { fixed: Vec::new(), rest: String::new() };
        for line in self.renderer.next_prefix_lines(id, parents) {
            let mark = if is_current { "@" } else { "*" };
            let text = line.parts.iter().map(|part| match part {
                PrefixLinePart::Text(text) => text.as_str(),
                PrefixLinePart::NodeGlyph => mark,
            });
            match line.kind {
                PrefixLineKind::Node | PrefixLineKind::Link => row.fixed.push(text.collect()),
                PrefixLineKind::PostAncestry => row.rest = text.collect(),
                // Only for ancestors that are not parents, and for rows of another height.
                _ => {}
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: char) -> CommitId {
        CommitId([name as u8; 32])
    }

    /// Draws commits written as `A:BC`, a name and its parents; `!` marks the current commit.
    fn draw(style: Style, commits: &str) -> String {
        let mut graph = Graph::new(style);
        let mut drawing = String::new();
        for commit in commits.split(' ') {
            let (name, parents) = commit.trim_start_matches('!').split_once(':').unwrap();
            let parents: Vec<CommitId> = parents.chars().map(id).collect();
            let row = graph.row(id(name.chars().next().unwrap()), &parents, commit.starts_with('!'));
            for n in 0..row.min_lines() {
                let text = if n == 0 { name } else { "" };
                drawing.push_str(&format!("\n{}", format!("{}{text}", row.prefix(n)).trim_end()));
            }
        }
        drawing
    }

    #[test]
    fn draws_linear_history_in_one_column() {
        assert_eq!(draw(Style::Unicode, "!C:B B:A A:"), "\n@ C\n* B\n* A");
    }

    const FORK: &str = "D:B !C:A B:A A:";

    #[test]
    fn joins_a_fork_at_its_parent() {
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
    fn splits_a_merge_into_its_parents() {
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
    fn crosses_columns_between_a_commit_and_its_parent() {
        assert_eq!(
            draw(Style::Unicode, WIDE),
            "
* F
│ * E
│ │ * D
├───┘
│ │ * C
├───┘
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
+---'
| | * C
+---'
| * B
|/
* A"
        );
    }

    const OCTOPUS: &str = "F:ABC G:B C:A B:A A: Z:";

    #[test]
    fn draws_three_parents_and_unrelated_roots() {
        assert_eq!(
            draw(Style::Unicode, OCTOPUS),
            "
*     F
├─┬─┐
│ │ │ * G
│ ├───┘
│ │ * C
├───┘
│ * B
├─┘
* A
* Z"
        );
        assert_eq!(
            draw(Style::Ascii, OCTOPUS),
            "
*     F
+-+-.
| | | * G
| +---'
| | * C
+---'
| * B
|/
* A
* Z"
        );
    }

    #[test]
    fn joins_a_merge_with_an_existing_column() {
        assert_eq!(
            draw(Style::Unicode, "A:B X:YB B:Y Y:"),
            "
* A
│ * X
┌─┤
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
    fn repeats_the_last_prefix_below_the_fixed_lines() {
        let mut graph = Graph::new(Style::Unicode);
        let row = graph.row(id('E'), &[id('D'), id('C')], false);
        assert_eq!((row.prefix(0), row.prefix(1), row.prefix(2), row.prefix(9)), ("*   ", "├─┐ ", "│ │ ", "│ │ "));
        assert_eq!(row.min_lines(), 2);
    }
}
