//! The methods of the service Auth.

use ::etcd::{
    authpb::{Permission, permission::Type},
    etcdserverpb::{
        AuthDisableRequest, AuthDisableResponse, AuthEnableRequest, AuthEnableResponse,
        AuthRoleAddRequest, AuthRoleAddResponse, AuthRoleDeleteRequest, AuthRoleDeleteResponse,
        AuthRoleGetRequest, AuthRoleGetResponse, AuthRoleGrantPermissionRequest,
        AuthRoleGrantPermissionResponse, AuthRoleListRequest, AuthRoleListResponse,
        AuthRoleRevokePermissionRequest, AuthRoleRevokePermissionResponse, AuthStatusRequest,
        AuthStatusResponse, AuthUserAddRequest, AuthUserAddResponse, AuthUserChangePasswordRequest,
        AuthUserChangePasswordResponse, AuthUserDeleteRequest, AuthUserDeleteResponse,
        AuthUserGetRequest, AuthUserGetResponse, AuthUserGrantRoleRequest,
        AuthUserGrantRoleResponse, AuthUserListRequest, AuthUserListResponse,
        AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse, AuthenticateRequest,
        AuthenticateResponse, ResponseHeader, auth_server::Auth,
    },
};
use ::kv::{
    Access, Answer, Caller, Command, Keys, Query, User,
    auth::{self, Change},
    events::revision,
};
use bytes::Bytes;
use tonic::{Request, Response, Status};

use super::token;
use crate::etcd::{Etcd, refusal, unexpected};

#[tonic::async_trait]
impl Auth for Etcd {
    async fn auth_enable(
        &self,
        _: Request<AuthEnableRequest>,
    ) -> Result<Response<AuthEnableResponse>, Status> {
        let header = self.change_auth(Change::Enable { key: token::draw_key() }).await?;
        Ok(Response::new(AuthEnableResponse { header }))
    }

    async fn auth_disable(
        &self,
        _: Request<AuthDisableRequest>,
    ) -> Result<Response<AuthDisableResponse>, Status> {
        let header = self.change_auth(Change::Disable).await?;
        Ok(Response::new(AuthDisableResponse { header }))
    }

    async fn auth_status(
        &self,
        _: Request<AuthStatusRequest>,
    ) -> Result<Response<AuthStatusResponse>, Status> {
        match self.ask(Query::Standing, false).await? {
            Answer::Standing { revision, is_on, auth_revision } => {
                let header = self.header(revision);
                Ok(Response::new(AuthStatusResponse { header, enabled: is_on, auth_revision }))
            }
            answer => Err(unexpected(&answer)),
        }
    }

    /// The token is of the auth revision at which the password was read: if it has changed since, the
    /// token is no longer good.
    async fn authenticate(
        &self,
        request: Request<AuthenticateRequest>,
    ) -> Result<Response<AuthenticateResponse>, Status> {
        let AuthenticateRequest { name, password } = request.into_inner();
        let damaged = |fault| refusal::damaged(&fault);
        let reading = self.reading(false).await?;
        let standing = auth::standing(&reading).map_err(damaged)?;
        if !standing.is_on {
            return Err(refusal::auth_not_enabled());
        }
        let user = auth::user(&reading, &name).map_err(damaged)?;
        let user = user.ok_or_else(refusal::not_authenticated)?;
        if user.no_password {
            return Err(refusal::no_password());
        }
        if !self.passwords.is(password, user.password).await {
            return Err(refusal::not_authenticated());
        }
        let caller = Caller { auth_revision: standing.revision, user: name };
        let header = self.header(revision(&reading).map_err(damaged)?);
        let token = token::make(&caller, &standing.key);
        Ok(Response::new(AuthenticateResponse { header, token }))
    }

    /// A hash that a client sends is not looked at, as in etcd, whose members send it to each other.
    async fn user_add(
        &self,
        request: Request<AuthUserAddRequest>,
    ) -> Result<Response<AuthUserAddResponse>, Status> {
        let AuthUserAddRequest { name, password, options, .. } = request.into_inner();
        let no_password = options.is_some_and(|options| options.no_password);
        let password =
            if no_password { Bytes::new() } else { self.passwords.hash(password).await? };
        let user = User { no_password, password, roles: vec![] };
        let header = self.change_auth(Change::AddUser { name, user }).await?;
        Ok(Response::new(AuthUserAddResponse { header }))
    }

    async fn user_get(
        &self,
        request: Request<AuthUserGetRequest>,
    ) -> Result<Response<AuthUserGetResponse>, Status> {
        let user = request.into_inner().name;
        let (header, roles) = self.names(Query::RolesOf { user }).await?;
        Ok(Response::new(AuthUserGetResponse { header, roles }))
    }

    async fn user_list(
        &self,
        _: Request<AuthUserListRequest>,
    ) -> Result<Response<AuthUserListResponse>, Status> {
        let (header, users) = self.names(Query::Users).await?;
        Ok(Response::new(AuthUserListResponse { header, users }))
    }

    async fn user_delete(
        &self,
        request: Request<AuthUserDeleteRequest>,
    ) -> Result<Response<AuthUserDeleteResponse>, Status> {
        let name = request.into_inner().name;
        let header = self.change_auth(Change::DeleteUser { name }).await?;
        Ok(Response::new(AuthUserDeleteResponse { header }))
    }

    /// No password, as in etcd, is one that nobody can give.
    async fn user_change_password(
        &self,
        request: Request<AuthUserChangePasswordRequest>,
    ) -> Result<Response<AuthUserChangePasswordResponse>, Status> {
        let AuthUserChangePasswordRequest { name, password, .. } = request.into_inner();
        let password =
            if password.is_empty() { Bytes::new() } else { self.passwords.hash(password).await? };
        let header = self.change_auth(Change::SetPassword { name, password }).await?;
        Ok(Response::new(AuthUserChangePasswordResponse { header }))
    }

    async fn user_grant_role(
        &self,
        request: Request<AuthUserGrantRoleRequest>,
    ) -> Result<Response<AuthUserGrantRoleResponse>, Status> {
        let AuthUserGrantRoleRequest { user, role } = request.into_inner();
        let header = self.change_auth(Change::GrantRole { user, role }).await?;
        Ok(Response::new(AuthUserGrantRoleResponse { header }))
    }

    async fn user_revoke_role(
        &self,
        request: Request<AuthUserRevokeRoleRequest>,
    ) -> Result<Response<AuthUserRevokeRoleResponse>, Status> {
        let AuthUserRevokeRoleRequest { name: user, role } = request.into_inner();
        let header = self.change_auth(Change::RevokeRole { user, role }).await?;
        Ok(Response::new(AuthUserRevokeRoleResponse { header }))
    }

    async fn role_add(
        &self,
        request: Request<AuthRoleAddRequest>,
    ) -> Result<Response<AuthRoleAddResponse>, Status> {
        let name = request.into_inner().name;
        let header = self.change_auth(Change::AddRole { name }).await?;
        Ok(Response::new(AuthRoleAddResponse { header }))
    }

    async fn role_get(
        &self,
        request: Request<AuthRoleGetRequest>,
    ) -> Result<Response<AuthRoleGetResponse>, Status> {
        let role = request.into_inner().role;
        match self.ask(Query::Permissions { role }, false).await? {
            Answer::Permitted { revision, permissions } => {
                let perm = permissions.into_iter().map(shown).collect();
                Ok(Response::new(AuthRoleGetResponse { header: self.header(revision), perm }))
            }
            answer => Err(unexpected(&answer)),
        }
    }

    async fn role_list(
        &self,
        _: Request<AuthRoleListRequest>,
    ) -> Result<Response<AuthRoleListResponse>, Status> {
        let (header, roles) = self.names(Query::Roles).await?;
        Ok(Response::new(AuthRoleListResponse { header, roles }))
    }

    async fn role_delete(
        &self,
        request: Request<AuthRoleDeleteRequest>,
    ) -> Result<Response<AuthRoleDeleteResponse>, Status> {
        let name = request.into_inner().role;
        let header = self.change_auth(Change::DeleteRole { name }).await?;
        Ok(Response::new(AuthRoleDeleteResponse { header }))
    }

    async fn role_grant_permission(
        &self,
        request: Request<AuthRoleGrantPermissionRequest>,
    ) -> Result<Response<AuthRoleGrantPermissionResponse>, Status> {
        let AuthRoleGrantPermissionRequest { name: role, perm } = request.into_inner();
        let permission = permission(perm.ok_or_else(refusal::permission_not_given)?)?;
        let header = self.change_auth(Change::Permit { role, permission }).await?;
        Ok(Response::new(AuthRoleGrantPermissionResponse { header }))
    }

    async fn role_revoke_permission(
        &self,
        request: Request<AuthRoleRevokePermissionRequest>,
    ) -> Result<Response<AuthRoleRevokePermissionResponse>, Status> {
        let AuthRoleRevokePermissionRequest { role, key, range_end } = request.into_inner();
        let keys = Keys::from_etcd(key, range_end);
        let header = self.change_auth(Change::Forbid { role, keys }).await?;
        Ok(Response::new(AuthRoleRevokePermissionResponse { header }))
    }
}

impl Etcd {
    async fn change_auth(&self, change: Change) -> Result<Option<ResponseHeader>, Status> {
        match self.carry_out(Command::Auth(change)).await? {
            Answer::Revision(revision) => Ok(self.header(revision)),
            answer => Err(unexpected(&answer)),
        }
    }

    async fn names(&self, query: Query) -> Result<(Option<ResponseHeader>, Vec<String>), Status> {
        match self.ask(query, false).await? {
            Answer::Names { revision, names } => Ok((self.header(revision), names)),
            answer => Err(unexpected(&answer)),
        }
    }
}

pub(in crate::etcd) fn permission(permission: Permission) -> Result<::kv::Permission, Status> {
    let access = match permission.perm_type() {
        Type::Read => Access::Read,
        Type::Write => Access::Write,
        Type::Readwrite => Access::ReadWrite,
    };
    Ok(::kv::Permission { keys: Keys::from_etcd(permission.key, permission.range_end), access })
}

pub(in crate::etcd) fn shown(permission: ::kv::Permission) -> Permission {
    let perm_type = match permission.access {
        Access::Read => Type::Read,
        Access::Write => Type::Write,
        Access::ReadWrite => Type::Readwrite,
    };
    let (key, range_end) = permission.keys.into_etcd();
    Permission { perm_type: perm_type.into(), key, range_end }
}
