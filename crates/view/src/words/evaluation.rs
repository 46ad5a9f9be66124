//! What the measures of an evaluation mean, in one line for everybody.

pub(super) fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "expected_cost" => {
            "What a prediction costs on average, with the costs that the definition gives to mistakes"
        }
        "balanced_accuracy" => "Share of predictions that were right, each class counting the same",
        "matthews" => {
            "Agreement of prediction and outcome over all four kinds of case; 0 is guessing, 1 perfect"
        }
        "cohens_kappa" => "Agreement of prediction and outcome beyond what chance alone would give",
        "micro_f1" => "Precision and recall in one number, each row counting the same",
        "weighted_f1" => "Precision and recall in one number, each class counting by its rows",
        "decision_threshold" => "The score from which on the positive class is predicted",
        "wrong_share" => "Share of predictions that were wrong",
        "mean_brier_loss" => "Mean squared distance of the probabilities to what happened",
        "mean_log_loss" => "Mean penalty that grows steeply for confident mistakes",
        "mean_absolute_error" => "By how much a prediction is off on average, in the unit of the outcome",
        "mean_squared_error" => "Mean of the squared errors, large errors counting most",
        "ece" => "Average distance between what scores say and what happens",
        "ece_equal_width" => "The same over score ranges of equal width instead of equally many rows",
        "ece_debiased" => "The same without what chance alone adds",
        "mce" => "Distance in the score range where it is largest",
        "smooth_ece" => "The same distance without bins",
        "calibration_slope" => "1 where scores spread as outcomes do; below 1 they are too extreme",
        "calibration_intercept" => "0 where scores are right on average; below 0 they promise too much",
        "hosmer_lemeshow" => "Whether the distances between scores and outcomes exceed chance",
        "brier_reliability" => "The part of the Brier score that better calibration would remove",
        "brier_resolution" => "The part that telling cases apart removes; higher is better",
        "brier_uncertainty" => "The part that lies in the outcomes themselves",
        "miscalibration" => "What recalibration would remove from the score",
        "discrimination" => "What telling cases apart removes from the score; higher is better",
        "classwise_ece" => "The calibration error of each class's probability, averaged",
        "worst_segment_gap" => {
            "Mean score less share of positive outcomes, in the segment where it is largest"
        }
        "coverage_gap" => {
            "Largest distance between the share that a quantile promises and the share below it"
        }
        "interval_coverage" => "Share of outcomes between the lowest and the highest predicted quantile",
        "slice_lift" => "How many times the average loss the worst confirmed slice has",
        "slice_mean_loss" => "What the rows of the worst slice lost on average",
        "worst_subpopulation_loss" => "The mean loss that no group of inputs of that size exceeds",
        "worst_subpopulation_rise" => "By what share that is more than in the reference; below 0 it is less",
        "systematic_share" => "Share of the errors that the inputs predict: what a better model could avoid",
        "error_auc" => "How well it can be foreseen which predictions are wrong; 0.5 means not at all",
        "loss_autocorrelation" => "Whether a mistake makes the next one likelier; 0 means not",
        "time_dispersion" => "How much more the loss varies over time than chance explains; 1 means not",
        "rare_lift" => "How many times the average loss the rarest inputs have",
        "expected_shortfall" => "Mean loss of the predictions that lose the most",
        "confident_wrong_share" => "Of the predictions that claim to be sure, the share that was wrong",
        "rare_class_wrong_share" => "Of the cases of rare classes, the share that was predicted wrongly",
        "loss_difference" => "Mean loss of this version less that of the other; below 0 this one is better",
        "flipped_share" => {
            "Share of decisions that somebody can flip within the budget, as far as the search finds it"
        }
        "flipped_cost" => "What half of the cheapest changes cost at most",
        _ => return None,
    })
}
