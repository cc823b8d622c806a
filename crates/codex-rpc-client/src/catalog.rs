//! What a server offers: models, providers, features, permissions.

use codex_rpc::requests;
use codex_rpc::types::{
    ExperimentalFeature, ExperimentalFeatureListParams, Model, ModelListParams, ModelProviderListParams,
    ModelProviderListResponse, PermissionProfileListParams, PermissionProfileSummary,
};

use crate::{Codex, Error, Pages};

impl Codex {
    /// The models that can be chosen, page by page.
    ///
    /// ```no_run
    /// use codex_rpc_client::protocol::types::ModelListParams;
    ///
    /// # async fn run(codex: codex_rpc_client::Codex) -> Result<(), codex_rpc_client::Error> {
    /// for model in codex.models(ModelListParams::new()).all().await? {
    ///     println!("{} {}", model.id, if model.is_default { "(default)" } else { "" });
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn models(&self, params: ModelListParams) -> Pages<Model> {
        let codex = self.clone();
        Pages::new(move |cursor| {
            let (codex, mut params) = (codex.clone(), params.clone());
            params.cursor = cursor.or(params.cursor);
            async move {
                let page = codex.call::<requests::ModelList>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }

    /// The providers of models, and which one is the default.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn model_providers(&self) -> Result<ModelProviderListResponse, Error> {
        self.call::<requests::ModelProviderList>(ModelProviderListParams::new()).await
    }

    /// Codex's feature flags and whether each is on, page by page.
    pub fn features(&self, params: ExperimentalFeatureListParams) -> Pages<ExperimentalFeature> {
        let codex = self.clone();
        Pages::new(move |cursor| {
            let (codex, mut params) = (codex.clone(), params.clone());
            params.cursor = cursor.or(params.cursor);
            async move {
                let page = codex.call::<requests::ExperimentalFeatureList>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }

    /// The permission profiles that threads and commands can be given, page by page.
    pub fn permission_profiles(&self, params: PermissionProfileListParams) -> Pages<PermissionProfileSummary> {
        let codex = self.clone();
        Pages::new(move |cursor| {
            let (codex, mut params) = (codex.clone(), params.clone());
            params.cursor = cursor.or(params.cursor);
            async move {
                let page = codex.call::<requests::PermissionProfileList>(params).await?;
                Ok((page.data, page.next_cursor))
            }
        })
    }
}
