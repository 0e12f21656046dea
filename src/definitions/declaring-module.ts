import { fileOf, generationOf } from './module-url.ts'

/** The module that is being evaluated. */
export interface Declaring<M> {
  readonly module: M
  /** `undefined` for a CommonJS module. Its stack frames have no generation. */
  readonly generation: number | undefined
}

/** The modules of Node.js that evaluate a module. */
const evaluators = /^node:internal\/modules\//

/**
 * Returns the module whose evaluation called the current function. Functions of other files may be between them, also
 * with an `await`: the module is the last one in the stack before Node.js. Returns `undefined` if there is no module of
 * a definitions file, as for a declaration of a package.
 *
 * @param find - Returns the module of a definitions file, or `undefined` for any other path.
 */
export function declaringModule<M>(find: (file: string) => M | undefined): Declaring<M> | undefined {
  let found: Declaring<M> | undefined
  for (const script of scriptsOfStack()) {
    if (evaluators.test(script)) break
    const file = fileOf(script)
    const module = find(file ?? script)
    if (module !== undefined) found = { module, generation: file === undefined ? undefined : generationOf(script) }
  }
  return found
}

/** The settings of stack traces. */
const traces: { prepareStackTrace?: unknown; stackTraceLimit: number } = Error

/** Returns the URL or the path of the script of each stack frame, the innermost first, with the frames of awaits. */
function scriptsOfStack(): string[] {
  const { prepareStackTrace, stackTraceLimit } = traces
  const holder: { stack?: unknown } = {}
  try {
    // `util.getCallSites` has no frames of awaits.
    traces.stackTraceLimit = Infinity
    traces.prepareStackTrace = (_: unknown, sites: readonly NodeJS.CallSite[]) =>
      sites.map(site => site.getFileName() ?? '')
    Error.captureStackTrace(holder, scriptsOfStack)
    return holder.stack as string[]
  } finally {
    traces.prepareStackTrace = prepareStackTrace
    traces.stackTraceLimit = stackTraceLimit
  }
}
