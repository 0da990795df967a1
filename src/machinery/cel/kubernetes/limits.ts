/** Limits on cost, in cel-go's units, as kube-apiserver sets them. */
export const LIMITS = {
  /** One evaluation of one expression. */
  perCall: 1_000_000,
  /** All rules of a custom resource, or all expressions of a policy binding, for one request. */
  perRequest: 10_000_000,
  /** All match conditions of a webhook or policy for one request. */
  matchConditions: 2_500_000,
  /** Estimated cost of one CRD rule, counting how often its schema can occur. */
  estimatedRule: 10_000_000,
  /** Estimated cost of all rules of a CRD version. */
  estimatedCRD: 100_000_000,
  /** Bytes of a message that messageExpression may produce. */
  message: 5 * 1024,
} as const;
