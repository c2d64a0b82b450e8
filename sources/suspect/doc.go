// Package suspect answers what changed before it broke: it finds when each
// breaching metric left its level, and ranks the changes of the time before by how
// well each explains that. It is pure: no clock, no I/O, no randomness; the same
// input gives the same answer. It never acts.
//
// The moments are found with PELT (R. Killick, P. Fearnhead, I. A. Eckley, "Optimal
// detection of changepoints with a linear computational cost", Journal of the
// American Statistical Association 107, 2012), for shifts of the mean of a metric's
// logarithm, scaled by a noise estimate that shifts do not disturb.
//
// A change is scored in decibans (A. M. Turing's unit, ten times the decimal
// logarithm of the odds), so that each reason for and against it adds up and can be
// told: its lag to the onset, whether it is about the service that broke or one that
// this calls, how much traffic it moved, and whether undoing it helped.
package suspect
