interface Issue { readonly path: readonly PropertyKey[], readonly message: string }

/** Says for the log what stands behind a failure: the fields that were wrong, or what the wire said. Never for a caller. */
export function why (error: unknown): string | undefined {
  const { cause } = error as { readonly cause?: unknown }
  if (!(cause instanceof Error)) return undefined
  const { issues, code, message } = cause as Error & { readonly issues?: readonly Issue[], readonly code?: string }
  const deeper = why(cause)
  if (deeper !== undefined) return deeper
  if (Array.isArray(issues)) return issues.slice(0, 3).map(({ path, message: wrong }: Issue) => `${path.join('.') || 'the value'}: ${wrong}`).join('; ')
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`
}
