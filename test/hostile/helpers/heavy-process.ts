import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Test } from 'tap'
import { childEnvironment } from '../../helpers/child-environment.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { isExact } from '../../helpers/timing.ts'
import { maxBytes, type HeavyAnswer } from './heavy-answers.ts'
import type { Round } from './heavy-client.ts'

/** The CPU time of the longest turn of the loop, in ms. Other processes of the machine add to it and take none away. */
export const leastTurnMs = (taken: readonly Round[]) => Math.min(...taken.map(({ turnMs }) => turnMs))

/** The most CPU time of one turn of the loop, in ms. Other work on the same core adds to CPU time too. */
export const maxTurnMs = isExact ? 100 : 250

/** Has another process ask for an answer in some rounds of several calls, and checks how its calls end. */
export async function askFor(
  t: Test,
  name: string,
  answer: HeavyAnswer,
  { calls, rounds }: { readonly calls: number; readonly rounds: number },
): Promise<readonly Round[]> {
  const upstream = await rawUpstream(t, socket => {
    answer.write(socket)
  })
  const client = fork(
    new URL('heavy-client.ts', import.meta.url),
    [upstream.origin, String(maxBytes), String(calls), ...Array.from({ length: rounds }, () => name)],
    { execArgv: [], env: childEnvironment },
  )
  t.teardown(() => client.kill())
  const taken: Round[] = []
  client.on('message', round => taken.push(round as Round))
  await once(client, 'exit')
  t.equal(taken.length, rounds, `${name}: the process ends after its rounds`)
  for (const { ended } of taken)
    t.same(
      ended,
      Array.from({ length: calls }, () => answer.right),
      `${name}: ${answer.right}`,
    )
  return taken
}
