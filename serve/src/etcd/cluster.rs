//! The service Cluster: who belongs to it.
//!
//! A member that is added receives everything and has no vote until it has started and caught up, as a
//! learner; it is given its vote then, by itself or by a promotion.

use ::etcd::etcdserverpb::{
    Member, MemberAddRequest, MemberAddResponse, MemberListRequest, MemberListResponse,
    MemberPromoteRequest, MemberPromoteResponse, MemberRemoveRequest, MemberRemoveResponse,
    MemberUpdateRequest, MemberUpdateResponse, ResponseHeader, cluster_server::Cluster,
};
use kernel::{Membership, NodeId};
use raft::Change;
use tonic::{Request, Response, Status};
use xxhash_rust::xxh3::xxh3_64;

use super::{Etcd, refusal};

#[tonic::async_trait]
impl Cluster for Etcd {
    async fn member_add(
        &self,
        request: Request<MemberAddRequest>,
    ) -> Result<Response<MemberAddResponse>, Status> {
        self.require_admin().await?;
        let peer_address = address(&request.into_inner().peer_urls)?;
        let membership = self.membership();
        if membership.members.values().any(|member| member.peer_address == peer_address) {
            return Err(Status::failed_precondition("etcdserver: Peer URLs already exists"));
        }
        let node = NodeId(xxh3_64(format!("{}/{peer_address}", self.front.cluster).as_bytes()));
        let member = kernel::Member { peer_address, ..kernel::Member::default() };
        self.change(Change::AddLearner { node, member: member.clone() }).await?;
        let mut members = self.members();
        let added = shown(node, &member, true);
        if !members.iter().any(|member| member.id == node.0) {
            members.push(added.clone());
        }
        let header = self.cluster_header();
        Ok(Response::new(MemberAddResponse { header, member: Some(added), members }))
    }

    async fn member_remove(
        &self,
        request: Request<MemberRemoveRequest>,
    ) -> Result<Response<MemberRemoveResponse>, Status> {
        self.require_admin().await?;
        let node = self.find(request.into_inner().id)?;
        self.change(Change::Remove { node }).await?;
        let mut members = self.members();
        members.retain(|member| member.id != node.0);
        Ok(Response::new(MemberRemoveResponse { header: self.cluster_header(), members }))
    }

    async fn member_update(
        &self,
        request: Request<MemberUpdateRequest>,
    ) -> Result<Response<MemberUpdateResponse>, Status> {
        self.require_admin().await?;
        let request = request.into_inner();
        let node = self.find(request.id)?;
        let peer_address = address(&request.peer_urls)?;
        let present = self.membership().members.get(&node).cloned().unwrap_or_default();
        if present.peer_address != peer_address {
            let member = kernel::Member { peer_address, ..present };
            self.change(Change::AddLearner { node, member }).await?;
        }
        let (header, members) = (self.cluster_header(), self.members());
        Ok(Response::new(MemberUpdateResponse { header, members }))
    }

    async fn member_list(
        &self,
        request: Request<MemberListRequest>,
    ) -> Result<Response<MemberListResponse>, Status> {
        if request.into_inner().linearizable {
            self.reading(false).await?;
        }
        let (header, members) = (self.cluster_header(), self.members());
        Ok(Response::new(MemberListResponse { header, members }))
    }

    async fn member_promote(
        &self,
        request: Request<MemberPromoteRequest>,
    ) -> Result<Response<MemberPromoteResponse>, Status> {
        self.require_admin().await?;
        let node = self.find(request.into_inner().id)?;
        if self.membership().is_voter(node) {
            return Err(Status::failed_precondition(
                "etcdserver: can only promote a learner member",
            ));
        }
        self.change(Change::Promote { node, replacing: None }).await?;
        let mut members = self.members();
        for member in &mut members {
            member.is_learner &= member.id != node.0;
        }
        Ok(Response::new(MemberPromoteResponse { header: self.cluster_header(), members }))
    }
}

impl Etcd {
    async fn change(&self, change: Change) -> Result<(), Status> {
        let request = raft::Request::Change(change);
        self.front.node.request(request).await.map_err(refusal::of_write)?;
        Ok(())
    }

    fn membership(&self) -> Membership {
        self.front.node.status().membership.clone()
    }

    fn members(&self) -> Vec<Member> {
        let membership = self.membership();
        let is_learner = |node: &NodeId| membership.learners.contains(node);
        let members = membership.members.iter();
        members.map(|(node, member)| shown(*node, member, is_learner(node))).collect()
    }

    fn find(&self, id: u64) -> Result<NodeId, Status> {
        let node = NodeId(id);
        if self.membership().contains(node) {
            return Ok(node);
        }
        Err(Status::not_found("etcdserver: member not found"))
    }

    /// As in etcd, this service says nothing of revisions.
    fn cluster_header(&self) -> Option<ResponseHeader> {
        self.header(0)
    }
}

fn shown(node: NodeId, member: &kernel::Member, is_learner: bool) -> Member {
    let urls = |address: &str| match address {
        "" => vec![],
        address => vec![format!("http://{address}")],
    };
    Member {
        id: node.0,
        name: member.name.clone(),
        peer_urls: urls(&member.peer_address),
        client_urls: urls(&member.client_address),
        is_learner,
    }
}

/// The one address of these URLs, `host:port`.
fn address(urls: &[String]) -> Result<String, Status> {
    let invalid = || Status::invalid_argument("etcdserver: given member URLs are invalid");
    let [url] = urls else {
        return Err(invalid());
    };
    let address = url.strip_prefix("http://").ok_or_else(invalid)?.trim_end_matches('/');
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(port) if port > 0 => Ok(address.to_owned()),
        _ => Err(invalid()),
    }
}
