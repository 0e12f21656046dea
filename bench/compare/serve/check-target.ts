import type { ChildServer } from '../../lib/child.ts'
import type { RecordedHeads, UpstreamCommand } from '../workload/upstream.ts'
import { headers, inboundTarget, inputs, outboundTarget } from './inputs.ts'
import type { Input } from './inputs.ts'

/** The reply to one inbound request, and the upstream requests that the target sent for it. */
export interface Exchange {
  readonly status: number
  readonly text: string
  /** Request heads that the upstream has received, in order of their request line. */
  readonly heads: readonly string[]
}

/** Sends one input to a target and records what the upstream receives. */
export async function sendOnce(port: number, upstream: ChildServer, input: Input, fanout: number): Promise<Exchange> {
  await upstream.request({ record: true } satisfies UpstreamCommand)
  const response = await fetch(`http://127.0.0.1:${port}${inboundTarget(input, fanout)}`, { headers })
  const text = await response.text()
  const { heads } = await upstream.request<RecordedHeads>({ recorded: true } satisfies UpstreamCommand)
  return { status: response.status, text, heads: heads.toSorted() }
}

/**
 * Throws if a target does not send exactly the expected calls or does not reply with all their answers. A target that
 * does less work would have too low a cost.
 */
export async function checkTarget(
  { name, port }: { readonly name: string; readonly port: number },
  upstream: ChildServer,
  fanout: number,
  bodyBytes: number,
): Promise<void> {
  for (const input of inputs) {
    const { status, text, heads } = await sendOnce(port, upstream, input, fanout)
    const facts = text.match(/"fact": ?"[^"]+"/g)?.length ?? 0
    if (status !== 200 || facts !== fanout || text.length < fanout * bodyBytes)
      throw new Error(
        `${name} answered ${status} with ${facts} facts and ${text.length} bytes for fan-out ${fanout}: ${text.slice(0, 400)}`,
      )

    const expected = Array.from({ length: fanout }, (_, index) => outboundTarget(input, index)).sort()
    const targets = heads.map(head => head.split(' ', 2)[1] ?? '').sort()
    if (expected.join('\n') !== targets.join('\n'))
      throw new Error(`${name} called\n${targets.join('\n')}\ninstead of\n${expected.join('\n')}`)
    const bare = heads.find(head => Object.entries(headers).some(header => !hasHeader(head, header)))
    if (bare !== undefined) throw new Error(`${name} did not forward the headers:\n${bare}`)
  }
}

function hasHeader(head: string, [name, value]: readonly [string, string]) {
  return head
    .split('\r\n')
    .some(
      line =>
        line.slice(0, name.length + 1).toLowerCase() === `${name}:` && line.slice(name.length + 1).trim() === value,
    )
}
