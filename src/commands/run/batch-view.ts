import { createRunView, type RunView } from './run-view.ts'

/**
 * Creates the view of a batch that has not started: a row per call.
 *
 * @param body - The body of the batch, which need not be valid. A batch with faults is not started.
 */
export function watchedBatch(body: unknown, deadline: number): RunView {
  const route = { method: 'POST', url: '/v1/batch', deadline } as const
  return createRunView({ name: 'batch', route, steps: idsOf(body).map(createStep) })
}

function createStep(name: string) {
  return { name, kind: 'required', concurrency: 1 } as const
}

function idsOf(body: unknown): string[] {
  const { calls } = (body ?? {}) as { readonly calls?: unknown }
  if (!Array.isArray(calls)) return []
  return calls.map(call => (call as { readonly id?: unknown } | null)?.id).filter(id => typeof id === 'string')
}
