//! The part of the Collector's language (OTTL) that a configuration of ours uses, as its grammar says: `not` binds before `and`, `and` before `or`, and what can't be
//! compared is unequal.

use regex::Regex;

/// What something is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Nil,
    Text(String),
    Number(i64),
    Flag(bool),
    List(Vec<Self>),
}

/// A condition or a statement, word by word.
pub(crate) struct Reader<'a> {
    rest: &'a str,
    /// What a path stands for.
    look: &'a dyn Fn(&str) -> Value,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, look: &'a dyn Fn(&str) -> Value) -> Self {
        Self { rest: text.trim_start(), look }
    }

    /// Whether the whole condition holds.
    pub(crate) fn holds(mut self) -> bool {
        let holds = self.either();
        assert!(self.rest.is_empty(), "what is {:?}?", self.rest);
        holds
    }

    /// `keep_keys(PATH, [KEYS]) where CONDITION`: the path and the keys, where the condition holds.
    pub(crate) fn keep_keys(mut self) -> Option<(String, Vec<Value>)> {
        assert!(self.take("keep_keys("), "what is {:?}?", self.rest);
        let path = self.path();
        assert!(self.take(","));
        let Value::List(keys) = self.value() else { panic!("no list") };
        assert!(self.take(")"));
        let holds = if self.take("where ") { self.holds() } else { self.rest.is_empty() };
        holds.then_some((path, keys))
    }

    fn take(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn either(&mut self) -> bool {
        let mut holds = self.both();
        while self.take("or ") {
            holds |= self.both();
        }
        holds
    }

    fn both(&mut self) -> bool {
        let mut holds = self.one();
        while self.take("and ") {
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        if self.take("not ") {
            return !self.one();
        }
        if self.take("(") {
            let holds = self.either();
            assert!(self.take(")"), "what is {:?}?", self.rest);
            return holds;
        }
        let left = self.value();
        for (word, holds) in [
            ("==", (|left, right| left == right) as fn(&Value, &Value) -> bool),
            ("!=", |left, right| left != right),
            (
                ">=",
                |left, right| matches!((left, right), (Value::Number(left), Value::Number(right)) if left >= right),
            ),
            (
                "<=",
                |left, right| matches!((left, right), (Value::Number(left), Value::Number(right)) if left <= right),
            ),
        ] {
            if self.take(word) {
                let right = self.value();
                return holds(&left, &right);
            }
        }
        left == Value::Flag(true)
    }

    fn value(&mut self) -> Value {
        if self.rest.starts_with('"') {
            return Value::Text(self.text());
        }
        if self.take("[") {
            let mut values = Vec::new();
            while !self.take("]") {
                values.push(self.value());
                self.take(",");
            }
            return Value::List(values);
        }
        if self.take("IsMatch(") {
            let target = self.value();
            assert!(self.take(","));
            let expression = Regex::new(&self.text()).unwrap();
            assert!(self.take(")"));
            return Value::Flag(matches!(target, Value::Text(text) if expression.is_match(&text)));
        }
        if self.take("IsInt(") {
            let target = self.value();
            assert!(self.take(")"));
            return Value::Flag(matches!(target, Value::Number(_)));
        }
        if self.take("TraceID(") || self.take("SpanID(") {
            let id = self.word().trim_start_matches("0x").to_owned();
            assert!(self.take(")"));
            return Value::Text(id);
        }
        if self.rest.starts_with(|first: char| first.is_ascii_digit()) {
            let number = self.word().parse().unwrap();
            self.rest = self.rest.trim_start();
            return Value::Number(number);
        }
        let path = self.path();
        match path.as_str() {
            "nil" => Value::Nil,
            "true" | "false" => Value::Flag(path == "true"),
            "AGGREGATION_TEMPORALITY_DELTA" => Value::Number(1),
            // Numbers of the Collector's own.
            "METRIC_DATA_TYPE_SUM" => Value::Number(2),
            "METRIC_DATA_TYPE_HISTOGRAM" => Value::Number(3),
            path => (self.look)(path),
        }
    }

    fn word(&mut self) -> &'a str {
        let end =
            self.rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '.');
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    /// `log.attributes["key"]`, with its key.
    fn path(&mut self) -> String {
        let mut path = self.word().to_owned();
        assert!(!path.is_empty(), "what is {:?}?", self.rest);
        if self.rest.starts_with("[") {
            self.rest = &self.rest[1..];
            path = format!("{path}[{}]", self.text());
            assert!(self.rest.starts_with("]"));
            self.rest = &self.rest[1..];
        }
        self.rest = self.rest.trim_start();
        path
    }

    fn text(&mut self) -> String {
        let mut texts = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        let text = texts.next().unwrap().unwrap();
        self.rest = &self.rest[texts.byte_offset()..];
        // What stands behind a key is looked at as it is.
        if !self.rest.starts_with(']') {
            self.rest = self.rest.trim_start();
        }
        text
    }
}
