//! The findings for programs.

use ::check::{Consistency, Finding, Ladder, Operation};
use serde_json::{Value, json};

use super::{history_file::Recorded, report, shown};

/// All findings as one object.
pub(super) fn findings(recorded: &Recorded, ladder: &Ladder) -> Value {
    let models: Vec<Value> = Consistency::ALL
        .into_iter()
        .map(|model| finding(recorded, model, ladder.finding(model)))
        .collect();
    let strongest: Vec<&str> = ladder.strongest().into_iter().map(Consistency::name).collect();
    let mut all = json!({
        "operations": recorded.history.operations().len(),
        "strongest": strongest,
        "models": models,
    });
    if let Some(witness) = &ladder.witness {
        let prefix: Vec<Value> =
            witness.prefix.iter().map(|one| operation(recorded, one)).collect();
        all["stuck"] = operation(recorded, &witness.stuck);
        all["prefix"] = Value::from(prefix);
        all["prefix_is_longest"] = Value::from(witness.is_longest);
    }
    all
}

fn finding(recorded: &Recorded, model: Consistency, finding: &Finding) -> Value {
    let name = model.name();
    match finding {
        Finding::Holds => json!({ "model": name, "finding": "holds" }),
        Finding::Unknown(reason) => {
            let reason = report::why(recorded, reason);
            json!({ "model": name, "finding": "unknown", "reason": reason })
        }
        Finding::Broken(evidence) => {
            let operations = recorded.history.operations();
            let places = evidence.places.iter();
            let witness: Vec<Value> = places
                .map(|place| {
                    let mut one = operation(recorded, &operations[*place]);
                    one["written_only"] =
                        Value::from(evidence.written_only.binary_search(place).is_ok());
                    one
                })
                .collect();
            json!({
                "model": name,
                "finding": "broken",
                "witness": witness,
                "witness_is_shortest": evidence.is_shortest,
            })
        }
    }
}

fn operation(recorded: &Recorded, operation: &Operation) -> Value {
    let (asked, answered) = shown::lines(recorded, operation);
    json!({
        "process": operation.process.0,
        "operation": shown::deed(operation),
        "asked_line": asked,
        "answered_line": answered,
    })
}
