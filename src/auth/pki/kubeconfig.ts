/** How a client reaches and convinces a cluster. PEM texts are embedded, so that the file works anywhere. */
export interface KubeconfigEntry {
  readonly cluster: string;
  readonly user: string;
  readonly server: string;
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
}

/** A kubeconfig with one cluster, user and context, as YAML. Holds secrets: write it with mode 0600. */
export function writeKubeconfig(entry: KubeconfigEntry): string {
  const data = (pem: string | undefined): string | undefined => pem && Buffer.from(pem).toString('base64');
  const lines = (fields: Record<string, string | undefined>): string =>
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `    ${name}: ${JSON.stringify(value)}\n`)
      .join('');
  const context = `${entry.user}@${entry.cluster}`;
  return `apiVersion: v1
kind: Config
clusters:
- name: ${JSON.stringify(entry.cluster)}
  cluster:
${lines({ 'certificate-authority-data': data(entry.certificateAuthority), server: entry.server })}contexts:
- name: ${JSON.stringify(context)}
  context:
${lines({ cluster: entry.cluster, user: entry.user })}current-context: ${JSON.stringify(context)}
preferences: {}
users:
- name: ${JSON.stringify(entry.user)}
  user:
${lines({
  'client-certificate-data': data(entry.clientCertificate),
  'client-key-data': data(entry.clientKey),
  token: entry.token,
})}`;
}
