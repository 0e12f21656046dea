import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'

/** What one round of calls cost. */
export interface Round {
  readonly name: string
  /** How each call ended: `ok`, or the code of its error. */
  readonly ended: readonly string[]
  /** The most memory that the process has had so far, in bytes. */
  readonly peak: number
  /** The most CPU time that this thread took in one turn of the loop, in ms. */
  readonly turnMs: number
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const outputs: Readonly<Record<string, z.ZodType>> = {
  'nesting-in-an-unknown-field': z.object({ word: z.string() }),
  'many-wrong-values': z.array(z.object({ a: z.string() })),
  'many-wrong-fields': z.record(z.string(), z.string()),
  'many-fields-of-a-wrong-union': z.union([z.record(z.string(), z.string()), z.record(z.string(), z.boolean())]),
  'many-unknown-fields': z.object({ id: z.string().optional() }).catchall(z.number()),
  'many-wrong-unknown-fields': z.object({ id: z.string().optional() }).catchall(z.string()),
  'many-unknown-fields-out-of-order': z.object({ last: z.number() }).catchall(z.number()),
  'many-fields-of-a-strict-object': z.strictObject({ id: z.string().optional() }),
}

/** Asks for each answer with several calls at once, and sends what it cost to the parent process. */
async function main([origin = '', maxBytes, calls, ...names]: readonly string[]): Promise<void> {
  let turnMs = 0
  let last = process.threadCpuUsage()
  const turn = () => {
    const { user, system } = process.threadCpuUsage(last)
    last = process.threadCpuUsage()
    turnMs = Math.max(turnMs, (user + system) / 1000)
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)

  for (const name of names) {
    const { ask } = defineUpstream(
      'heavy',
      { origin, maxResponseBytes: Number(maxBytes), attemptTimeout: 60_000, retry: false, breaker: false },
      { ask: operation({ path: `/${name}`, output: outputs[name] ?? z.unknown() }) },
    )
    const runtime = createRuntime()
    const run = testRun()
    // The garbage of the round before is not of this one.
    collectGarbage()
    last = process.threadCpuUsage()
    turnMs = 0
    const ended = await Promise.all(
      Array.from({ length: Number(calls) }, () =>
        runtime.send(run.ask(ask())).then(
          () => 'ok',
          (error: { readonly code?: string }) => error.code ?? 'an error without a code',
        ),
      ),
    )
    const round: Round = { name, ended, peak: process.resourceUsage().maxRSS * 1024, turnMs }
    await runtime.close()
    process.send?.(round)
  }
  clearImmediate(next)
  process.disconnect()
}

await main(process.argv.slice(2))
