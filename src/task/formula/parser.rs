//! From typed text to a tree, by recursive descent.
//!
//! A person who mistypes needs the place and what belongs there, so every refusal names a character, counted from 1. From loose
//! to tight: `+ −`, then `* / %`, both from the left; then a leading `−`, so that −a^2 is −(a²); then `^`, whose exponent is a
//! written number and which does not chain, because a^2^3 reads two ways. `2a` is refused: names such as `ab` would read two
//! ways as well. · × − ² ³ ≤ ≥ ≠ are read as what they mean, so a printed formula can be pasted.

use super::MAX_CHARS;
use super::expression::{Comparison, Expression, Operator};
use crate::record::UserError;

/// Deepest nesting of parentheses, functions and leading minus signs: evaluation recurses, and a browser's stack is small.
const MAX_DEPTH: usize = 64;

/// Largest written number.
const MAX_NUMBER: u64 = 1_000_000_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Symbol {
    Number(u64),
    Name(String),
    Sign(char),
    Compare(Comparison),
    End,
}

/// A symbol, where it begins (characters, from 1) and how it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    symbol: Symbol,
    place: usize,
    text: String,
}

/// Reads a formula in a and b.
///
/// # Errors
/// If the text is no formula, with the place at which reading stopped.
pub(super) fn parse(text: &str) -> Result<Expression, UserError> {
    if text.chars().count() > MAX_CHARS {
        return Err(UserError::new("The formula is too long", format!("Use at most {MAX_CHARS} characters")));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let formula = parser.sum()?;
    match parser.peek().symbol {
        Symbol::End => Ok(formula),
        Symbol::Compare(_) => Err(parser.unexpected("an operator", "Compare inside of if(a < b, x, y) only")),
        Symbol::Sign(')') => Err(parser.unexpected("an operator", "Remove the ), or open it with ( before")),
        _ => Err(parser.unexpected("an operator", "Use + - * / % ^, and write * between factors, e.g. 2*a")),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, UserError> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let start = at;
        at += 1;
        let mut take_while = |belongs: fn(&char) -> bool| {
            at += characters[at..].iter().take_while(|c| belongs(c)).count();
            characters[start..at].iter().collect::<String>()
        };
        let symbol = match first {
            ' ' => continue,
            '0'..='9' => {
                let digits = take_while(char::is_ascii_digit);
                let number = digits.parse().ok().filter(|n| *n <= MAX_NUMBER);
                Symbol::Number(number.ok_or_else(|| {
                    UserError::new(
                        format!("The number at character {} of the formula is too large", start + 1),
                        format!("Use at most {MAX_NUMBER}"),
                    )
                })?)
            }
            'a'..='z' | 'A'..='Z' => Symbol::Name(take_while(char::is_ascii_alphanumeric)),
            '<' | '>' | '=' | '!' => compare(&take_while(|c| *c == '='), start + 1)?,
            '≤' => Symbol::Compare(Comparison::AtMost),
            '≥' => Symbol::Compare(Comparison::AtLeast),
            '≠' => Symbol::Compare(Comparison::Different),
            '·' | '×' => Symbol::Sign('*'),
            '−' => Symbol::Sign('-'),
            '+' | '-' | '*' | '/' | '%' | '^' | '(' | ')' | ',' => Symbol::Sign(first),
            '²' | '³' => {
                // One character, two symbols: ^ and the number.
                tokens.push(Token { symbol: Symbol::Sign('^'), place: at, text: first.to_string() });
                Symbol::Number(if first == '²' { 2 } else { 3 })
            }
            other => {
                return Err(UserError::new(
                    format!("Character {at} of the formula, \"{other}\", has no meaning"),
                    "Use a, b, whole numbers, + - * / % ^, parentheses, if, min, max, abs and gcd",
                ));
            }
        };
        tokens.push(Token { symbol, place: start + 1, text: characters[start..at].iter().collect() });
    }
    tokens.push(Token { symbol: Symbol::End, place: text.trim_end().chars().count(), text: String::new() });
    Ok(tokens)
}

fn compare(text: &str, place: usize) -> Result<Symbol, UserError> {
    Ok(Symbol::Compare(match text {
        "==" => Comparison::Equal,
        "!=" => Comparison::Different,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::More,
        ">=" => Comparison::AtLeast,
        other => {
            let cause = format!("Character {place} of the formula begins \"{other}\", which is no comparison");
            return Err(UserError::new(cause, "Use ==, !=, <, <=, > or >="));
        }
    }))
}

/// A list of symbols that ends with [`Symbol::End`], and where reading is.
struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        // The last one is the end, and reading never passes it.
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    /// Passes the sign if it is next.
    fn takes(&mut self, sign: char) -> bool {
        let found = self.peek().symbol == Symbol::Sign(sign);
        self.next += usize::from(found);
        found
    }

    fn needs(&mut self, sign: char, remedy: &str) -> Result<(), UserError> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("\"{sign}\""), remedy)) }
    }

    fn unexpected(&self, expected: &str, remedy: &str) -> UserError {
        let token = self.peek();
        let cause = match token.symbol {
            Symbol::End if token.place == 0 => format!("The formula is empty, where {expected} is expected"),
            Symbol::End => format!("The formula ends after character {}, where {expected} is expected", token.place),
            _ => format!("Character {} of the formula is \"{}\", where {expected} is expected", token.place, token.text),
        };
        UserError::new(cause, remedy)
    }

    /// Terms between + and −.
    fn sum(&mut self) -> Result<Expression, UserError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek().symbol {
                Symbol::Sign('+') => Operator::Add,
                Symbol::Sign('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.next += 1;
            left = Expression::Two(operator, Box::new([left, self.product()?]));
        }
    }

    /// Factors between *, / and %.
    fn product(&mut self) -> Result<Expression, UserError> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.peek().symbol {
                Symbol::Sign('*') => Operator::Multiply,
                Symbol::Sign('/') => Operator::Divide,
                Symbol::Sign('%') => Operator::Remainder,
                _ => return Ok(left),
            };
            self.next += 1;
            left = Expression::Two(operator, Box::new([left, self.signed()?]));
        }
    }

    /// A power with or without a leading minus. Everything that nests passes here.
    fn signed(&mut self) -> Result<Expression, UserError> {
        if self.depth == MAX_DEPTH {
            let cause = format!("At character {} the formula is nested more than {MAX_DEPTH} deep", self.peek().place);
            return Err(UserError::new(cause, "Use fewer parentheses"));
        }
        self.depth += 1;
        let value = if self.takes('-') { Expression::Negative(Box::new(self.signed()?)) } else { self.power()? };
        self.depth -= 1;
        Ok(value)
    }

    fn power(&mut self) -> Result<Expression, UserError> {
        let base = self.atom()?;
        if !self.takes('^') {
            return Ok(base);
        }
        let Symbol::Number(exponent) = self.peek().symbol else {
            return Err(self.unexpected("a whole number as exponent", "Write e.g. a^2; a negative power is 1 / a^2"));
        };
        self.next += 1;
        if self.peek().symbol == Symbol::Sign('^') {
            return Err(self.unexpected("one exponent", "Write (a^2)^3, or a^8 for a^(2^3)"));
        }
        Ok(Expression::Power(Box::new(base), exponent))
    }

    fn atom(&mut self) -> Result<Expression, UserError> {
        let symbol = self.peek().symbol.clone();
        let value = match symbol {
            Symbol::Number(number) => Expression::Number(number),
            Symbol::Name(name) => match name.as_str() {
                "a" => Expression::First,
                "b" => Expression::Second,
                "if" => return self.choice(),
                "abs" => return self.distance(),
                "min" => return self.two(Operator::Min),
                "max" => return self.two(Operator::Max),
                "gcd" => return self.two(Operator::Gcd),
                _ => return Err(self.unexpected("a, b, if, min, max, abs or gcd", "Use these names; a product is a*b")),
            },
            Symbol::Sign('(') => {
                self.next += 1;
                let inner = self.sum()?;
                self.needs(')', "Close the parenthesis with ), and write * between factors")?;
                return Ok(inner);
            }
            _ => return Err(self.unexpected("a number, a, b, a function or \"(\"", "Write e.g. a^2 + b^2")),
        };
        self.next += 1;
        Ok(value)
    }

    /// `if(x < y, then, otherwise)`, from its name.
    fn choice(&mut self) -> Result<Expression, UserError> {
        const FORM: &str = "Write if(condition, x, y), e.g. if(a % 2 == 0, a + b, a*b)";
        self.next += 1;
        self.needs('(', FORM)?;
        let left = self.sum()?;
        let Symbol::Compare(comparison) = self.peek().symbol else {
            return Err(self.unexpected("a comparison such as == or <", FORM));
        };
        self.next += 1;
        let right = self.sum()?;
        self.needs(',', FORM)?;
        let then = self.sum()?;
        self.needs(',', FORM)?;
        let otherwise = self.sum()?;
        self.needs(')', FORM)?;
        Ok(Expression::If(comparison, Box::new([left, right, then, otherwise])))
    }

    /// `abs(x)`, from its name.
    fn distance(&mut self) -> Result<Expression, UserError> {
        const FORM: &str = "Write abs(x), e.g. abs(a - b)";
        self.next += 1;
        self.needs('(', FORM)?;
        let inner = self.sum()?;
        self.needs(')', FORM)?;
        Ok(Expression::Distance(Box::new(inner)))
    }

    /// A function of two numbers, from its name.
    fn two(&mut self, operator: Operator) -> Result<Expression, UserError> {
        const FORM: &str = "Give the function two numbers, e.g. min(a, b)";
        self.next += 1;
        self.needs('(', FORM)?;
        let left = self.sum()?;
        self.needs(',', FORM)?;
        let right = self.sum()?;
        self.needs(')', FORM)?;
        Ok(Expression::Two(operator, Box::new([left, right])))
    }
}
