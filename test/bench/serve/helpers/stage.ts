import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { caseOf, specOf } from '../../../../bench/compare/cases.ts'
import { startChild } from '../../../../bench/lib/child.ts'
import type { ChildServer } from '../../../../bench/lib/child.ts'
import { sendOnce } from '../../../../bench/compare/serve/check-target.ts'
import { childEnvironment } from '../../../helpers/child-environment.ts'
import type { TargetSpec, Target } from '../../../../bench/compare/targets.ts'

/** Targets of the case and the upstream they call, which end with the test. */
export interface Stage {
  readonly upstream: ChildServer
  readonly start: (name: string, spec?: TargetSpec) => Promise<Target>
  /** Lines of the log of one target, without those that say where it listens and those of `sayLast`. */
  readonly linesOf: (name: string) => Record<string, unknown>[]
}

/** Returns why a target cannot be tested, or `false`; where every test must run, it has to be there. */
export async function whyMissing(name: string): Promise<string | false> {
  const reason = await specOf(caseOf('serve'), name).missing?.()
  if (reason !== undefined && process.env['HEADWATERS_TEST_ALL'] === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and ${name} cannot be started: ${reason}`)
  return reason ?? false
}

// The servers of the bench inherit the environment of this process.
Object.assign(process.env, childEnvironment)

/** Starts the upstream of the bench. */
export async function openStage(t: Test): Promise<Stage> {
  const upstream = await startChild(
    'upstream',
    new URL('../../../../bench/compare/workload/upstream.ts', import.meta.url),
    [],
    'any',
  )
  t.teardown(() => upstream.stop())
  const folder = t.testdir()
  const logOf = (name: string) => join(folder, `${name}.log`)
  return {
    upstream,
    async start(name, spec = specOf(caseOf('serve'), name)) {
      const target = await spec.start(name, { origin: `http://127.0.0.1:${upstream.port}`, log: logOf(name) })
      t.teardown(() => target.stop())
      return target
    },
    linesOf: name =>
      readFileSync(logOf(name), 'utf8')
        .split('\n')
        // The last line may not be written whole yet.
        .slice(0, -1)
        .map(line => JSON.parse(line) as Record<string, unknown>)
        .filter(line => !/listening/.test(String(line['msg'])) && !JSON.stringify(line).includes(last.topic)),
  }
}

const last = { topic: 'the-last-one' }

/** Sends a request that is refused: when its answer is there, all lines of those before it are written. */
export async function sayLast({ port }: Target, upstream: ChildServer): Promise<number> {
  return (await sendOnce(port, upstream, last, 0)).status
}
