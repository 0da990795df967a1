import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AdmissionChain, enabledPlugins } from '../admission/chain.js';
import type { AdmissionPlugin } from '../admission/contract.js';
import { alwaysAdmit, alwaysDeny } from '../admission/plugins/always.js';
import { alwaysPullImages } from '../admission/plugins/always-pull-images.js';
import { certificateApproval } from '../admission/plugins/certificate-approval.js';
import { certificateSigning } from '../admission/plugins/certificate-signing.js';
import { certificateSubjectRestriction } from '../admission/plugins/certificate-subject-restriction.js';
import { clusterTrustBundleAttest } from '../admission/plugins/cluster-trust-bundle-attest.js';
import { type PluginConfiguration, readAdmissionConfiguration } from '../admission/plugins/configuration.js';
import { defaultIngressClass } from '../admission/plugins/default-ingress-class.js';
import { defaultStorageClass } from '../admission/plugins/default-storage-class.js';
import { defaultTolerationSeconds } from '../admission/plugins/default-toleration-seconds.js';
import { denyServiceExternalIPs } from '../admission/plugins/deny-service-external-ips.js';
import { eventLimits, eventRateLimit } from '../admission/plugins/event-rate-limit.js';
import { extendedResourceToleration } from '../admission/plugins/extended-resource-toleration.js';
import { ImagePolicyWebhook, imagePolicyConfiguration } from '../admission/plugins/image-policy-webhook.js';
import { jobValidation } from '../admission/plugins/job-validation.js';
import { limitPodHardAntiAffinityTopology } from '../admission/plugins/limit-pod-hard-anti-affinity-topology.js';
import { limitRanger } from '../admission/plugins/limit-ranger.js';
import { MutatingPolicies } from '../admission/plugins/mutating-policy.js';
import { MutatingWebhook } from '../admission/plugins/mutating-webhook.js';
import { type NamespaceReader, namespaceLifecycle } from '../admission/plugins/namespace-lifecycle.js';
import { namespaceAutoProvision, namespaceExists } from '../admission/plugins/namespace-presence.js';
import { nodeDeclaredFeatureValidator } from '../admission/plugins/node-declared-feature-validator.js';
import { NodeRestriction } from '../admission/plugins/node-restriction.js';
import { ownerReferencesPermissionEnforcement } from '../admission/plugins/owner-references-permission-enforcement.js';
import { persistentVolumeClaimResize } from '../admission/plugins/persistent-volume-claim-resize.js';
import { podGroupProtection } from '../admission/plugins/pod-group-protection.js';
import { podGroupWorkloadExists } from '../admission/plugins/pod-group-workload-exists.js';
import { podNodeSelector, podNodeSelectors } from '../admission/plugins/pod-node-selector.js';
import { podResizeValidator } from '../admission/plugins/pod-resize-validator.js';
import { podSecurityConfiguration } from '../admission/plugins/pod-security/configuration.js';
import { podSecurity } from '../admission/plugins/pod-security/pod-security.js';
import {
  podTolerationConfiguration,
  podTolerationRestriction,
} from '../admission/plugins/pod-toleration-restriction.js';
import { podTopologyLabels } from '../admission/plugins/pod-topology-labels.js';
import { priority } from '../admission/plugins/priority.js';
import { limitedResources } from '../admission/plugins/resource-quota/configuration.js';
import { QuotaRegistry } from '../admission/plugins/resource-quota/registry.js';
import { Reservations } from '../admission/plugins/resource-quota/reservations.js';
import { ResourceQuota } from '../admission/plugins/resource-quota/resource-quota.js';
import { runtimeClass } from '../admission/plugins/runtime-class.js';
import { serviceAccount } from '../admission/plugins/service-account.js';
import { storageObjectInUseProtection } from '../admission/plugins/storage-object-in-use-protection.js';
import { taintNodesByCondition } from '../admission/plugins/taint-nodes-by-condition.js';
import { ValidatingPolicies } from '../admission/plugins/validating-policy.js';
import { ValidatingWebhook } from '../admission/plugins/validating-webhook.js';
import type { WebhookClient } from '../admission/webhook/client/client.js';
import { undiciConnector } from '../auth/authentication/http.js';
import type { Authorizer } from '../auth/contract.js';
import { readWebhookTarget } from '../auth/pki/webhook-target.js';
import { AdmittedVersions } from '../registry/admitted-versions.js';
import type { Environment } from '../registry/context.js';
import type { LocalClient } from '../registry/local-client.js';
import { paramSource } from '../registry/param-source.js';
import type { ResourceTable } from '../registry/resource-table.js';
import type { ControlPlaneOptions } from './options.js';

export interface AdmissionParts {
  readonly options: ControlPlaneOptions;
  readonly env: Environment;
  readonly client: LocalClient;
  readonly table: ResourceTable;
  readonly webhooks: WebhookClient;
  readonly quota: QuotaParts;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
  /** Plugins that ask what a user may do. */
  readonly authorizer: Authorizer;
}

interface MakeParts extends AdmissionParts {
  readonly dynamic: DynamicAdmission;
  readonly namespaceOf: NamespaceReader;
  /** What --admission-control-config-file holds for the plugin. */
  readonly configuration: PluginConfiguration | undefined;
}

type Make = (parts: MakeParts) => AdmissionPlugin;

/** How each plugin is made. */
const PLUGINS: Readonly<Record<string, Make>> = {
  AlwaysAdmit: alwaysAdmit,
  NamespaceAutoProvision: ({ client, namespaceOf }) =>
    namespaceAutoProvision(namespaceOf, (namespace) => client.create(NAMESPACES, namespace, SETTINGS)),
  NamespaceLifecycle: ({ namespaceOf }) => namespaceLifecycle(namespaceOf),
  NamespaceExists: ({ namespaceOf }) => namespaceExists(namespaceOf),
  LimitPodHardAntiAffinityTopology: limitPodHardAntiAffinityTopology,
  LimitRanger: ({ client, env }) => limitRanger({ objects: client, gate: env.gate }),
  ServiceAccount: ({ client, env }) =>
    serviceAccount({ objects: client, nameSuffix: env.nameSuffix, pause: setTimeout }),
  NodeRestriction: ({ client, authorizer, env }) =>
    new NodeRestriction({ objects: client, authorizer, gate: env.gate }),
  TaintNodesByCondition: taintNodesByCondition,
  AlwaysPullImages: alwaysPullImages,
  ImagePolicyWebhook: ({ configuration }) => imagePolicyWebhook(configuration),
  PodSecurity: ({ client, configuration }) =>
    podSecurity({ objects: client, configuration: podSecurityConfiguration(configuration), now: clock }),
  PodNodeSelector: ({ namespaceOf, configuration }) =>
    podNodeSelector({ namespaceOf, selectors: podNodeSelectors(configuration) }),
  Priority: ({ client, env }) => priority({ objects: client, gate: env.gate }),
  DefaultTolerationSeconds: ({ options }) =>
    defaultTolerationSeconds({
      notReady: options.defaultNotReadyTolerationSeconds,
      unreachable: options.defaultUnreachableTolerationSeconds,
    }),
  PodTolerationRestriction: ({ namespaceOf, configuration, env: { gate } }) =>
    podTolerationRestriction({ namespaceOf, gate, configuration: podTolerationConfiguration(configuration, gate) }),
  EventRateLimit: ({ configuration }) => eventRateLimit({ limits: eventLimits(configuration), now: clock }),
  ExtendedResourceToleration: extendedResourceToleration,
  DefaultStorageClass: ({ client }) => defaultStorageClass(client),
  StorageObjectInUseProtection: storageObjectInUseProtection,
  PodGroupProtection: ({ env }) => podGroupProtection(env.gate),
  OwnerReferencesPermissionEnforcement: ({ authorizer, table }) =>
    ownerReferencesPermissionEnforcement({
      authorizer,
      resourceOf: (group, version, kind) => table.byKind(group, version, kind),
    }),
  PersistentVolumeClaimResize: ({ client }) => persistentVolumeClaimResize(client),
  RuntimeClass: ({ client }) => runtimeClass(client),
  CertificateApproval: ({ authorizer }) => certificateApproval(authorizer),
  CertificateSigning: ({ authorizer }) => certificateSigning(authorizer),
  ClusterTrustBundleAttest: ({ authorizer, env }) => clusterTrustBundleAttest({ authorizer, gate: env.gate }),
  CertificateSubjectRestriction: certificateSubjectRestriction,
  DefaultIngressClass: ({ client }) => defaultIngressClass(client),
  DenyServiceExternalIPs: denyServiceExternalIPs,
  PodTopologyLabels: ({ client, env }) => podTopologyLabels({ objects: client, gate: env.gate }),
  PodGroupWorkloadExists: ({ client, env }) => podGroupWorkloadExists({ objects: client, gate: env.gate }),
  NodeDeclaredFeatureValidator: ({ client, env }) => nodeDeclaredFeatureValidator({ objects: client, gate: env.gate }),
  JobValidation: ({ client, env }) => jobValidation({ objects: client, gate: env.gate }),
  PodResizeValidator: ({ client }) => podResizeValidator(client),
  MutatingAdmissionPolicy: ({ dynamic }) => new MutatingPolicies(dynamic),
  MutatingAdmissionWebhook: ({ dynamic }) => new MutatingWebhook(dynamic),
  ValidatingAdmissionPolicy: ({ dynamic }) => new ValidatingPolicies(dynamic),
  ValidatingAdmissionWebhook: ({ dynamic }) => new ValidatingWebhook(dynamic),
  ResourceQuota: ({ client, quota, configuration }) =>
    new ResourceQuota({ objects: client, ...quota, limited: limitedResources(configuration) }),
  AlwaysDeny: alwaysDeny,
};

const NAMESPACES = { group: '', resource: 'namespaces' };
const SETTINGS = { manager: 'kube-apiserver' };
/** Milliseconds; only goes forward. */
const clock = () => performance.now();

/** Plugins whose configuration is read. That of others is passed over, as kube-apiserver does; webhooks' may not be. */
const CONFIGURED = [
  'PodSecurity',
  'PodNodeSelector',
  'PodTolerationRestriction',
  'EventRateLimit',
  'ImagePolicyWebhook',
  'ResourceQuota',
];
const REFUSED = ['MutatingAdmissionWebhook', 'ValidatingAdmissionWebhook'];

function imagePolicyWebhook(given: PluginConfiguration | undefined): AdmissionPlugin {
  const configuration = imagePolicyConfiguration(given);
  const resolve = (base: string, file: string) => (isAbsolute(file) ? file : join(dirname(base), file));
  const kubeconfig = resolve(given?.path ?? '', configuration.kubeConfigFile);
  const target = readWebhookTarget(kubeconfig, readFileSync, resolve);
  const { url, authorization, ca, insecure, serverName, clientCertificate: cert, clientKey: key } = target;
  const client = undiciConnector({ ca, insecure, serverName, cert, key });
  return new ImagePolicyWebhook({ configuration, client, url, authorization, now: clock, pause: setTimeout });
}

/** What admission and the loop that counts usage know in common. */
export interface QuotaParts {
  readonly registry: QuotaRegistry;
  readonly reservations: Reservations;
}

export function quotaParts(client: LocalClient, { gate, now }: Environment): QuotaParts {
  return {
    registry: new QuotaRegistry({ objects: client, gate, now }),
    reservations: new Reservations(clock),
  };
}

/** What plugins that are configured by API objects share. */
type DynamicAdmission = ReturnType<typeof dynamicAdmission>;

function dynamicAdmission({ client, table, webhooks, env, authorizer }: AdmissionParts) {
  return {
    feed: client,
    versions: new AdmittedVersions(table),
    namespaceOf: (name: string) => client.get(NAMESPACES, '', name),
    authorizer,
    params: paramSource(table),
    client: webhooks,
    uuid: env.uuid,
  };
}

/** The chain of the plugins that are on. */
export function openAdmission(parts: AdmissionParts): AdmissionChain {
  const { enableAdmissionPlugins = [], disableAdmissionPlugins = [] } = parts.options;
  const on = enabledPlugins(enableAdmissionPlugins, disableAdmissionPlugins);
  const dynamic = dynamicAdmission(parts);
  const { namespaceOf } = dynamic;
  const configurations = pluginConfigurations(parts);
  const make = (name: string): AdmissionPlugin => {
    try {
      return PLUGINS[name]!({ ...parts, dynamic, namespaceOf, configuration: configurations.get(name) });
    } catch (e) {
      throw new Error(`couldn't init admission plugin "${name}": ${(e as Error).message}`);
    }
  };
  return new AdmissionChain(
    Object.keys(PLUGINS)
      .filter((name) => on.has(name))
      .map(make),
  );
}

function pluginConfigurations({ options, log }: AdmissionParts): ReadonlyMap<string, PluginConfiguration> {
  const { admissionConfigFile } = options;
  if (!admissionConfigFile) return new Map();
  const configurations = readAdmissionConfiguration(admissionConfigFile, readFileSync);
  for (const name of configurations.keys()) {
    if (REFUSED.includes(name)) throw new Error(`admission plugin "${name}": a configuration file is not supported`);
    if (!CONFIGURED.includes(name)) log('warning', `admission plugin ${JSON.stringify(name)} reads no configuration`);
  }
  return configurations;
}
