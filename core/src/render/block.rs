//! The layout of PL/pgSQL blocks.

/// Text with its lines indented as the blocks of PL/pgSQL are.
#[derive(Clone, Default)]
pub struct Block {
    text: String,
    depth: usize,
}

impl Block {
    /// Adds a line, or several, each indented.
    pub fn line(&mut self, lines: impl AsRef<str>) -> &mut Self {
        for line in lines.as_ref().lines() {
            for _ in 0..self.depth {
                self.text.push_str("  ");
            }
            self.text.push_str(line);
            self.text.push('\n');
        }
        self
    }

    /// Adds a line and indents what follows.
    pub fn open(&mut self, line: impl AsRef<str>) -> &mut Self {
        self.line(line);
        self.depth += 1;
        self
    }

    /// Ends the indentation and adds a line.
    pub fn close(&mut self, line: impl AsRef<str>) -> &mut Self {
        self.depth = self.depth.saturating_sub(1);
        self.line(line)
    }

    /// Ends one branch and begins the next: `else`.
    pub fn branch(&mut self, line: impl AsRef<str>) -> &mut Self {
        self.depth = self.depth.saturating_sub(1);
        self.open(line)
    }
}

impl Block {
    /// What was written so far.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl From<Block> for String {
    fn from(block: Block) -> Self {
        block.text
    }
}
