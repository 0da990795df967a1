import { dig, list, num, obj, str } from '../../api/access.js';
import { type GroupResource, notFound, StatusError } from '../../machinery/errors.js';
import type { KubeObject } from '../../machinery/json.js';
import type { BackendTls, Target } from './target.js';

/** How kubelets are reached; file names as the flags give them. */
export interface KubeletOptions {
  /** Without it, the certificates of kubelets are not checked. */
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly preferredAddressTypes?: readonly string[];
}

const PREFERRED_ADDRESS_TYPES = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'];
const KUBELET_PORT = 10250;

export interface KubeletParts {
  readonly options: KubeletOptions;
  node(name: string): Promise<KubeObject | undefined>;
  /** Read anew for every connection, so that rotated files count at once. */
  readFile(path: string): Buffer;
}

export class Kubelets {
  readonly #parts: KubeletParts;

  constructor(parts: KubeletParts) {
    this.#parts = parts;
  }

  /**
   * Where the kubelet of a node listens.
   *
   * @param resource of the request: upstream names it when the node is not there
   * @throws 404 without such a node, 500 when it has no address of a preferred type
   */
  async find(node: string, resource: GroupResource): Promise<Target> {
    const object = await this.#parts.node(node);
    if (!object) throw notFound(resource, node);
    const { preferredAddressTypes } = this.#parts.options;
    const types = preferredAddressTypes?.length ? preferredAddressTypes : PREFERRED_ADDRESS_TYPES;
    const status = obj(object, 'status');
    const addresses = list(status, 'addresses').map((a) => ({ type: str(a, 'type'), address: str(a, 'address') }));
    const chosen = types.flatMap((type) => addresses.filter((a) => a.type === type))[0];
    if (!chosen) {
      const known = addresses.map((a) => `{${a.type} ${a.address}}`).join(' ');
      throw new StatusError(500, '', `no preferred addresses found; known addresses: [${known}]`);
    }
    const endpoint = dig(status, 'daemonEndpoints', 'kubeletEndpoint') as KubeObject | undefined;
    const port = num(endpoint, 'Port');
    return { scheme: 'https', host: chosen.address, port: port > 0 ? port : KUBELET_PORT, tls: this.#tls() };
  }

  #tls(): BackendTls {
    const { options, readFile } = this.#parts;
    const { certificateAuthority, clientCertificate, clientKey } = options;
    return {
      ...(certificateAuthority && { ca: readFile(certificateAuthority) }),
      ...(clientCertificate && clientKey && { cert: readFile(clientCertificate), key: readFile(clientKey) }),
      insecure: !certificateAuthority,
    };
  }
}
