import type { Test } from 'tap'
import { sendOnce, checkTarget } from '../../../../bench/compare/serve/check-target.ts'
import type { Exchange } from '../../../../bench/compare/serve/check-target.ts'
import { forwarded, inputs } from '../../../../bench/compare/serve/inputs.ts'
import type { UpstreamCommand } from '../../../../bench/compare/workload/upstream.ts'
import { openStage, sayLast } from './stage.ts'

/** Method, target and forwarded headers of every call. */
function callsOf({ heads }: Exchange) {
  return heads.map(head => {
    const [line, ...fields] = head.split('\r\n')
    return [
      line,
      ...fields
        .map(field => field.replace(/^[^:]+/, name => name.toLowerCase()))
        .filter(field => forwarded.some(name => field.startsWith(`${name}:`)))
        .sort(),
    ]
  })
}

/**
 * Asserts that a target makes the same calls as `headwaters serve`, replies with the same body, and logs each request
 * in one line.
 */
export async function sameAsProduct(t: Test, name: string): Promise<void> {
  const { upstream, start, linesOf } = await openStage(t)
  const [product, peer] = [await start('serve'), await start(name)]
  let requests = 0
  for (const bodyBytes of [110, 2000]) {
    await upstream.request({ bodyBytes } satisfies UpstreamCommand)
    for (const input of inputs) {
      for (const fanout of [1, 20]) {
        const expected = await sendOnce(product.port, upstream, input, fanout)
        const actual = await sendOnce(peer.port, upstream, input, fanout)
        const what = `${input.topic}, ${fanout} calls, ${bodyBytes} B`
        requests++
        t.same([actual.status, expected.status], [200, 200], what)
        t.same(JSON.parse(actual.text), JSON.parse(expected.text), `${what}: the reply`)
        t.same(callsOf(actual), callsOf(expected), `${what}: the calls`)
        t.equal(actual.heads.length, fanout, `${what}: their number`)
      }
    }
    // What the bench itself asks for before it measures.
    await checkTarget(peer, upstream, 3, bodyBytes)
    requests += inputs.length
  }
  t.equal(await sayLast(peer, upstream), 400, 'an input that is not valid is refused')
  t.equal(linesOf(name).length, requests, 'one log line per request')
}
