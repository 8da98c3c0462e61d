//! A question, what it is about, and the form of all answers.

use serde_json::Value;

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The program's project.
    pub project: String,
    /// Its version; any where it is empty.
    pub version: String,
    /// Its system; any where it is empty.
    pub system: String,
    /// The first day.
    pub from: u64,
    /// The last day.
    pub to: u64,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What the columns are.
    pub columns: Vec<&'static str>,
    /// Texts and numbers, and lists of numbers, one a day.
    pub rows: Vec<Vec<Value>>,
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Installations and events, day by day.
    Days,
    /// Installations, month by month.
    Months,
    /// Versions, by events and installations.
    Versions,
    /// Systems, by events and installations.
    Systems,
    /// Events by name, and on how many days.
    Events,
    /// Words of each event, ranked, and day by day.
    Words,
    /// Events by name, day by day.
    Trend,
    /// Numbers of events and histograms: quantiles of their classes.
    Values,
    /// Counters by their labels.
    Counters,
    /// Errors by code and failures, of how many events.
    Errors,
    /// Crashes, grouped by what they have alike.
    Crashes,
    /// What programs say that they lost, and why.
    Lost,
    /// What this server did not keep as it came, or does not show.
    Notes,
    /// Events of the last hour, one by one.
    Recent,
}

impl View {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 14] = [
        Self::Days,
        Self::Months,
        Self::Versions,
        Self::Systems,
        Self::Events,
        Self::Words,
        Self::Trend,
        Self::Values,
        Self::Counters,
        Self::Errors,
        Self::Crashes,
        Self::Lost,
        Self::Notes,
        Self::Recent,
    ];

    /// Its name in addresses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Months => "months",
            Self::Versions => "versions",
            Self::Systems => "systems",
            Self::Events => "events",
            Self::Words => "words",
            Self::Trend => "trend",
            Self::Values => "values",
            Self::Counters => "counters",
            Self::Errors => "errors",
            Self::Crashes => "crashes",
            Self::Lost => "lost",
            Self::Notes => "notes",
            Self::Recent => "recent",
        }
    }

    /// What a page calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Days => "Installations and events a day",
            Self::Months => "Installations a month, estimated",
            Self::Versions => "Versions",
            Self::Systems => "Systems",
            Self::Events => "Events",
            Self::Words => "Words of events",
            Self::Trend => "Events day by day",
            Self::Values => "Durations and sizes",
            Self::Counters => "Counters",
            Self::Errors => "Errors and failures",
            Self::Crashes => "Crashes",
            Self::Lost => "What programs lost",
            Self::Notes => "What was not kept as it came, or is not shown",
            Self::Recent => "The last hour, event by event",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.word() == word)
    }
}
