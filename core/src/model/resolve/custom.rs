//! `enum … add value`, `sql { … }`.

use super::Resolution;
use crate::check::{custom, labels};
use crate::diagnostic::Errors;
use crate::model::{AddLabel, Custom};
use crate::plan::Stage;
use crate::syntax::{self, EnumVerb};

impl Resolution<'_> {
    pub(super) fn enum_change(&self, tree: &syntax::EnumChange, errors: &mut Errors) -> Option<AddLabel> {
        let ty = labels::enum_type(tree, self.shape, errors)?;
        let EnumVerb::Add { place } = &tree.verb else {
            errors.push(labels::cannot_change(tree, ty, self.shape));
            return None;
        };
        if ty.labels.contains(&tree.label.value) {
            if self.draft.stage == Stage::Contract {
                let label = format!("{:?}", tree.label.value);
                errors.push(self.finished(tree.label.span, &label, format!("label {label} is there")));
            } else {
                errors.push(labels::is_there(tree, ty, self.shape));
            }
            return None;
        }
        labels::fits(tree, errors)?;
        if let Some(place) = place {
            labels::stands_beside(place, ty, self.shape, errors)?;
        }
        let beside = place.as_ref().map(|place| (place.before, place.label.value.clone()));
        Some(AddLabel { ty: ty.name.clone(), label: tree.label.value.clone(), beside })
    }

    pub(super) fn sql(&self, tree: &syntax::Sql, errors: &mut Errors) -> Option<Custom> {
        let found = errors.len();
        custom::is_in_order(tree, errors);
        let parts: Vec<_> =
            tree.parts.iter().filter_map(|part| custom::part(part, tree, self.shape, &self.around, errors)).collect();
        custom::is_reversible_or_says_so(tree, errors);
        (errors.len() == found).then(|| Custom { parts, irreversible: tree.irreversible.is_some() })
    }
}
