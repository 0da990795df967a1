/** How the client wants its answer. */
export interface Representation {
  readonly format: 'json' | 'yaml' | 'protobuf' | 'cbor';
  /** '' for the object itself. */
  readonly as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io that `as` is at. */
  readonly asVersion: 'v1' | 'v1beta1';
  readonly pretty: boolean;
  readonly contentType: string;
}

export const PLAIN_JSON: Representation = {
  format: 'json',
  as: '',
  asVersion: 'v1',
  pretty: false,
  contentType: 'application/json',
};
