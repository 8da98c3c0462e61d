//! Questions, and their answers as tables: what pages, CSV and JSON are made of. All but `recent` read the sums alone, which have no pseudonyms.

pub mod answer;
mod crashes;
mod errors;
pub mod question;
mod rows;
mod sql;
pub mod stacks;
