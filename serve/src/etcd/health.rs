//! The service Health: whether this node serves.

use std::pin::Pin;

use etcd::health::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_server::Health,
};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::Etcd;

#[tonic::async_trait]
impl Health for Etcd {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !request.into_inner().service.is_empty() {
            return Err(Status::not_found("unknown service"));
        }
        Ok(Response::new(serving()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    /// A node that serves does so until its connections end.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let is_whole = request.into_inner().service.is_empty();
        let status = if is_whole { ServingStatus::Serving } else { ServingStatus::ServiceUnknown };
        let first = HealthCheckResponse { status: status.into() };
        let (say, said) = tokio::sync::mpsc::channel(1);
        let mut ended = self.front.node.applied();
        tokio::spawn(async move {
            if say.send(Ok(first)).await.is_ok() {
                tokio::select! {
                    () = say.closed() => {}
                    () = async { while ended.changed().await.is_ok() {} } => {}
                }
            }
        });
        Ok(Response::new(Box::pin(tokio_stream::wrappers::ReceiverStream::new(said))))
    }
}

fn serving() -> HealthCheckResponse {
    HealthCheckResponse { status: ServingStatus::Serving.into() }
}
