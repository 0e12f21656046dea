import { cut } from '../../log/cut.ts'

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Issues of a schema that are written. */
const mostIssues = 3
/** Keys of the path of an issue that are written, and their characters. */
const mostKeys = 20
const longestPath = 200
/** Causes of causes that are looked at. */
const mostCauses = 10

/**
 * Returns the reason of a failure for the log: the fields that were wrong, or the words of the wire. It may hold words
 * of an upstream, so it is cut, and no caller may see it.
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
  for (let causes = 0; cause instanceof Error && causes < mostCauses; causes++) {
    deepest = cause
    ;({ cause } = cause)
  }
  if (deepest === undefined) return undefined
  const { issues, code, message } = deepest as Error & { readonly issues?: readonly Issue[]; readonly code?: string }
  if (Array.isArray(issues)) return cut(issues.slice(0, mostIssues).map(shownIssue).join('; '))
  const text = cut(String(message))
  return code === undefined || text.includes(String(code)) ? text : `${cut(String(code))}: ${text}`
}

function shownIssue({ path, message }: Issue): string {
  const keys = path.slice(0, mostKeys).map(key => cut(String(key), longestPath))
  if (path.length > mostKeys) keys.push('[cut]')
  return `${cut(keys.join('.'), longestPath) || 'the value'}: ${cut(String(message))}`
}
