/**
 * The name of a kind's schema: the group's labels from the last to the first, as domains in type names go.
 * `stable.example.com`, `v1`, `CronTab` is `com.example.stable.v1.CronTab`.
 */
export function schemaName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}
