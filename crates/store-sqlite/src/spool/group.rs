//! What is written together: one transaction for a group of jobs.

use std::collections::HashSet;

use sqlx::SqliteConnection;
use store::Recorded;
use types::NodeId;

use super::job::Job;
use super::outcome::Written;
use super::recent::RecentRows;
use super::script::Script;
use super::submit::Submit;
use super::{change, lease, operate, outcome, reroute, settle};

/// Commits the group. What comes in goes first, with everything that is delivered, as a script: most groups have nothing else.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    group: &mut [Job],
    recent: &RecentRows,
) -> Result<(), sqlx::Error> {
    let submits: Vec<&Submit> = group.iter().filter_map(Job::submission).collect();
    let complete: Vec<_> = group.iter().filter_map(Job::complete).collect();
    let mut script = Script::begin(&submits, &complete);
    script.change_recent(recent);
    if !has_more(group) {
        set_answers(group, &script.commit(connection).await?);
        return Ok(());
    }
    set_answers(group, &script.run(connection).await?);
    for job in group {
        match job {
            Job::Record(record, reply) if !record.is_complete() => {
                reply.set(outcome::write(connection, record).await?);
            }
            Job::Reroute(wanted, reply) => reply.set(reroute::write(connection, wanted).await?),
            Job::Lease(wanted, reply) => reply.set(lease::write(connection, wanted).await?),
            Job::Bury(id, reply) => reply.set(change::bury(connection, *id).await?),
            Job::Change(change, reply) => reply.set(change::write(connection, change).await?),
            Job::Operate(wanted, reply) => reply.set(operate::write(connection, wanted).await?),
            Job::TakeOperations(at_most, reply) => reply.set(operate::take(connection, *at_most).await?),
            Job::ForgetSettled(before, reply) => reply.set(settle::forget(connection, *before).await?),
            Job::Submit(..) | Job::Record(..) | Job::Close(_) => {}
        }
    }
    sqlx::query("COMMIT").execute(connection).await.map(drop)
}

/// Notes the answers to what the script did: whether the owner of its leases is among the nodes, and that an entry is gone.
fn set_answers(group: &mut [Job], nodes: &HashSet<NodeId>) {
    for job in group {
        if let Job::Submit(submit, reply) = job {
            reply.set(submit.owner().is_some_and(|owner| nodes.contains(&owner)));
        } else if let Job::Record(record, reply) = job
            && record.is_complete()
        {
            // That everybody has the message is true whoever has the lease by now.
            reply.set(Written { recorded: Recorded::Kept, gone: true, goes_on: false });
        }
    }
}

/// Whether the script leaves something to be done.
fn has_more(group: &[Job]) -> bool {
    let is_scripted = |job: &Job| matches!(job, Job::Submit(..) | Job::Close(_)) || job.complete().is_some();
    !group.iter().all(is_scripted)
}
