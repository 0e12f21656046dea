import { cut } from './cut.ts'

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The largest number of issues of a schema that are shown. */
const maxIssues = 3
/** The largest number of keys in the path of an issue that are shown, and of characters of the path. */
const maxKeys = 20
const maxPathLength = 200
/** The largest number of causes that are followed. */
const maxCauses = 10

/**
 * Returns the reason of a failure for the log: the schema's issues, or the message of the innermost cause. The text may
 * come from an upstream, so it is cut to a maximum length and is never sent to callers.
 */
export function causeChain(error: unknown): string | undefined {
  try {
    return reasonOf(error)
  } catch {
    return 'an error whose fields cannot be read'
  }
}

function reasonOf(error: unknown): string | undefined {
  let deepest: Error | undefined
  let { cause } = error as { readonly cause?: unknown }
  for (let causes = 0; cause instanceof Error && causes < maxCauses; causes++) {
    deepest = cause
    ;({ cause } = cause)
  }
  if (deepest === undefined) return undefined
  const { issues, code, message } = deepest as Error & { readonly issues?: readonly Issue[]; readonly code?: string }
  if (isIssues(issues)) return issuesText(issues)
  const text = cut(String(message))
  return code === undefined || text.includes(String(code)) ? text : `${cut(String(code))}: ${text}`
}

/** Returns true if a value is the list of issues of a schema's error. */
export function isIssues(issues: unknown): issues is readonly Issue[] {
  return (
    Array.isArray(issues) &&
    issues.length > 0 &&
    issues.every((issue: Partial<Issue> | null | undefined) => Array.isArray(issue?.path))
  )
}

/** Returns the first issues of a schema in one line. */
export function issuesText(issues: readonly Issue[]): string {
  return cut(issues.slice(0, maxIssues).map(shownIssue).join('; '))
}

function shownIssue({ path, message }: Issue): string {
  const keys = path.slice(0, maxKeys).map(key => cut(String(key), maxPathLength))
  if (path.length > maxKeys) keys.push('[cut]')
  return `${cut(keys.join('.'), maxPathLength) || 'the value'}: ${cut(String(message))}`
}
