import type { Test } from 'tap'
import { z } from 'zod'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, env, operation, specOf, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, succeedRuntime, type Runtime, type SuccessorOptions } from '../../src/upstream/runtime.ts'
import { testRun } from './call.ts'
import { rawUpstream, type Script } from './raw-upstream.ts'

/** The operations of `cats`. Each declaration has the same schemas, as if their module were not loaded again. */
const operations = {
  cat: operation({ path: '/cat', output: z.unknown() }),
  kept: operation({ path: '/kept', output: z.unknown(), cache: { ttl: 60_000 } }),
  put: operation({ method: 'PUT', path: '/kept', output: z.unknown() }),
}

type Cats = ReturnType<typeof declareCats>

/** Declares `cats`. The options of each declaration are new objects, as after a module was loaded again. */
export function declareCats(origin: string, options: Partial<UpstreamOptions> = {}) {
  return defineUpstream('cats', { origin, retry: false, ...structuredOptions(options) }, operations)
}

/** Copies the options that are plain. Layers and references to variables stay the same objects. */
function structuredOptions({ layers, auth, ...plain }: Partial<UpstreamOptions>): Partial<UpstreamOptions> {
  const bearer = auth !== undefined && 'bearer' in auth ? env(auth.bearer.variable) : undefined
  return {
    ...structuredClone(plain),
    ...(layers && { layers: { ...layers } }),
    ...(bearer === undefined ? auth && { auth } : { auth: { bearer } }),
  }
}

/** A runtime with its declaration of `cats`. */
export interface Generation {
  readonly runtime: Runtime
  readonly cats: Cats
  /** Sends a call and resolves with its value. */
  readonly ask: (call?: Call<unknown>) => Promise<unknown>
}

/** An upstream, its first runtime, and a function that creates the next one. */
export async function generations(t: Test, script: Script, options: Partial<UpstreamOptions> = {}, own: object = {}) {
  const raw = await rawUpstream(t, script)
  const generation = (runtime: Runtime, cats: Cats): Generation => {
    t.teardown(() => runtime.close())
    return { runtime, cats, ask: async (call = cats.cat()) => (await runtime.send(testRun().ask(call))).value }
  }
  const first = generation(createRuntime(own), declareCats(raw.origin, options))
  return {
    raw,
    first,
    /** Creates the runtime after another one, with changed options of `cats` or of the runtime. */
    next: (
      { runtime }: Generation,
      changed: Partial<UpstreamOptions> = {},
      runtimeOptions: SuccessorOptions = own,
    ): Generation => {
      const cats = declareCats(raw.origin, { ...options, ...changed })
      return generation(succeedRuntime(runtime, [specOf(cats)], runtimeOptions), cats)
    },
  }
}
