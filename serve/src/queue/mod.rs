//! The work queue over HTTP: chapter 3's interface, with its faults mended.
//!
//! ```text
//! POST   /task  {type, payload, ...}          202 {taskId, message, stats}     429 if the queue is full
//! GET    /task/{id}                           200 the task, its attempts, its result
//! DELETE /task/{id}  {lease?}                 200
//! GET    /dequeue?queue=&type=&wait=&leaseMs= 200 the task with a lease        204 if there is none
//! POST   /complete/{id}  {lease, result?}     200                              409 if the lease does not hold
//! POST   /fail/{id}      {lease, error}       200
//! POST   /extend/{id}    {lease, leaseMs?}    200
//! POST   /release/{id}   {lease, delayMs?}    200
//! GET    /peek?queue=&state=                  200 the task that is next         404 if there is none
//! GET    /stats?queue=                        200 {pending, processing, completed, failed, ...}
//! GET    /dead?queue=                         200 {tasks, after}
//! DELETE /dead?queue=                         200 {purged}
//! POST   /dead/retry?queue=                   200 {retried}
//! POST   /dead/{id}/retry                     200
//! GET    /queues                              200 {queues, after}
//! GET    /queues/{name}                       200 counts and settings
//! PUT    /queues/{name}  {maxLength, ...}     200
//! POST   /queues/{name}/pause  {forMs?}       200, and /resume
//! ```
//! What was answered with 202 is on a majority of disks. Whoever dequeues holds the task for the time of a lease:
//! its token proves it, and is stale as soon as the lease has ended.

mod dead;
mod dequeue;
mod desk;
mod end;
mod fields;
mod put;
mod queues;
mod route;
mod shown;
mod stats;
mod task;

pub(crate) use desk::{
    Desk, Given, Interest, PAUSE, Terms, Unanswered, Wait, given, not_asked_for,
};
pub(crate) use route::{ROUTES, Resource};

use hyper::{Method, StatusCode};
use kernel::Reading;
use queue::{Answer, Command, Failure, Invalid, Query, TaskId};

use crate::{answer, call::Call, error::ApiError, front::Front, outcome};

/// The queue that is meant if none is named; clients of beanstalkd use it too.
pub(crate) const DEFAULT_QUEUE: &str = "default";

/// Answers a call that is about the queue.
pub(crate) async fn answer(
    front: &Front,
    call: &Call,
    resource: Resource,
) -> Result<answer::Answer, ApiError> {
    match (resource, &call.method) {
        (Resource::Tasks, &Method::POST) => put::put(front, call).await,
        (Resource::Task(id), &Method::GET) => task::get(front, call, id).await,
        (Resource::Task(id), &Method::DELETE) => task::delete(front, call, id).await,
        (Resource::Dequeue, &Method::GET | &Method::POST) => dequeue::dequeue(front, call).await,
        (Resource::End(how, id), &Method::POST) => end::end(front, call, how, id).await,
        (Resource::Peek, &Method::GET) => task::peek(front, call).await,
        (Resource::Stats, &Method::GET) => stats::stats(front, call).await,
        (Resource::Dead, &Method::GET) => dead::list(front, call).await,
        (Resource::Dead, &Method::DELETE) => dead::purge(front, call).await,
        (Resource::RetryAll, &Method::POST) => dead::retry_all(front, call).await,
        (Resource::Retry(id), &Method::POST) => dead::retry(front, call, id).await,
        (Resource::Queues, &Method::GET) => queues::list(front, call).await,
        (Resource::Queue(name), &Method::GET) => queues::get(front, call, name).await,
        (Resource::Queue(name), &Method::PUT) => queues::configure(front, call, name).await,
        (Resource::Queue(name), &Method::DELETE) => queues::reset(front, call, name).await,
        (Resource::Pause(name), &Method::POST) => queues::pause(front, call, name).await,
        (Resource::Resume(name), &Method::POST) => queues::resume(front, call, name).await,
        (other, _) => Err(ApiError::method_not_allowed(other.allow())),
    }
}

/// Puts a command through the log; `call` may name a session.
async fn carry_out(front: &Front, call: &Call, command: &Command) -> Result<Answer, ApiError> {
    command.check().map_err(invalid)?;
    let answered = front.desk().submit(command, call.session()?).await;
    refused(answered.map_err(|error| of_write(&error))?)
}

/// Asks at one moment of the tables; aside, since a page of tasks may touch the disk.
async fn ask(reading: Reading, query: Query) -> Result<Answer, ApiError> {
    let asked = tokio::task::spawn_blocking(move || query.answer(&reading));
    let answer = asked.await.expect("a read does not panic");
    refused(answer.map_err(|fault| outcome::broken(&fault))?)
}

fn of_write(error: &Unanswered) -> ApiError {
    match error {
        Unanswered::Ended(error) => outcome::of_write(error.clone()),
        Unanswered::Broken(fault) => outcome::broken(fault),
    }
}

fn of_read(error: &Unanswered) -> ApiError {
    match error {
        Unanswered::Ended(error) => outcome::of_read(error.clone()),
        Unanswered::Broken(fault) => outcome::broken(fault),
    }
}

/// The answer, unless it says that nothing was done.
fn refused(answer: Answer) -> Result<Answer, ApiError> {
    match answer {
        Answer::Failed(failure) => Err(failed(failure)),
        Answer::Invalid(reason) => Err(invalid(reason)),
        answer => Ok(answer),
    }
}

/// An answer that is not what was asked for: a bug, told as one.
fn other(answer: &Answer) -> ApiError {
    of_read(&not_asked_for(answer))
}

fn no_such_task(id: TaskId) -> ApiError {
    let message = format!("There is no task {id}, or none any more.");
    ApiError::new(StatusCode::NOT_FOUND, "not_found", message)
}

/// The queue refuses.
fn failed(failure: Failure) -> ApiError {
    let conflict = |code, advice: &str| {
        ApiError::new(StatusCode::CONFLICT, code, format!("Not done: {failure}. {advice}"))
    };
    match failure {
        Failure::NotFound => ApiError::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such task, or none any more: it was completed or deleted a while ago, or never put.",
        ),
        Failure::NotHeld => conflict(
            "not_held",
            "Drop what you have done, or make sure that doing it twice does no harm: the task is done again, or was.",
        ),
        Failure::Full => ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "full",
            "Not done: the queue is as long as it may get. Try again once workers have caught up.",
        )
        .retrying_after(1),
        Failure::Reserved => conflict("reserved", "Give its lease, or wait until it has ended."),
        Failure::WrongState => conflict("wrong_state", "GET /task/{id} shows where it stands."),
    }
}

/// The command or the query breaks a rule of the queue.
fn invalid(invalid: Invalid) -> ApiError {
    let message = format!("Not done: {invalid}.");
    match invalid {
        Invalid::QueueName => ApiError::bad("bad_queue", message),
        Invalid::Kind => ApiError::bad("bad_type", message),
        Invalid::Key => ApiError::bad("bad_key", message),
        Invalid::TooMany => ApiError::bad("too_many", message),
        Invalid::Payload => limited("payload_too_large", message, queue::PAYLOAD_BYTES_MAX),
        Invalid::Result => limited("result_too_large", message, queue::PAYLOAD_BYTES_MAX),
        Invalid::Error => limited("error_too_large", message, queue::ERROR_BYTES_MAX),
        Invalid::Malformed => outcome::broken(&kernel::Fault::StateMachine(message)),
    }
}

fn limited(code: &'static str, message: String, bytes_max: usize) -> ApiError {
    ApiError::too_large(code, message).with("limitBytes", bytes_max)
}
