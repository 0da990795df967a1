import type { AuthenticationOptions } from './options.js';

/**
 * Data of the ConfigMap kube-system/extension-apiserver-authentication, from which aggregated API servers learn whom this
 * server trusts. PEM texts are the bundles as last read.
 */
export function clusterTrustData(
  options: AuthenticationOptions,
  bundles: { readonly clientCa: string | undefined; readonly requestHeaderCa: string | undefined },
): Record<string, string> {
  const list = (values: readonly string[] | undefined): string => JSON.stringify(values ?? []);
  const uids = options.requestheaderUidHeaders;
  return {
    ...(bundles.clientCa && { 'client-ca-file': bundles.clientCa }),
    ...(bundles.requestHeaderCa && {
      'requestheader-username-headers': list(options.requestheaderUsernameHeaders),
      ...(uids?.length && { 'requestheader-uid-headers': list(uids) }),
      'requestheader-group-headers': list(options.requestheaderGroupHeaders),
      'requestheader-extra-headers-prefix': list(options.requestheaderExtraHeadersPrefix),
      'requestheader-client-ca-file': bundles.requestHeaderCa,
      'requestheader-allowed-names': list(options.requestheaderAllowedNames),
    }),
  };
}
