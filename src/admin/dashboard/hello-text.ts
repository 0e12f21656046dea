import type { Hello } from '../../dashboard/protocol.ts'
import { sentPoints, type PointsOfAll } from '../../overview/overview.ts'

/** `hello` before it is text: its points are numbers. */
export type HelloContent = Omit<Hello, 'history'> & { readonly history: PointsOfAll }

/**
 * Returns the JSON text of `hello` in pieces, one for each name with its points. With hundreds of names the text has
 * 1 MB, which must not be made in one turn of the event loop.
 */
export function* helloText({ history, ...rest }: HelloContent): Generator<string, void, void> {
  const { from, every, upstreams, aggregates } = history
  yield `${JSON.stringify(rest).slice(0, -1)},"history":{"from":${from},"every":${every},"upstreams":[`
  yield* listText(upstreams)
  yield '],"aggregates":['
  yield* listText(aggregates)
  yield ']}}'
}

function* listText(names: readonly Readonly<Record<string, Float32Array>>[]): Generator<string, void, void> {
  for (const [index, points] of names.entries()) {
    const sent = Object.fromEntries(Object.entries(points).map(([name, values]) => [name, sentPoints(values)]))
    yield (index === 0 ? '' : ',') + JSON.stringify(sent)
  }
}
