import type { RunSpans } from '../upstream/call/spans.ts'
import type { StepEvent } from './events.ts'

/** Records the start and the end of a step in the spans of its run. Attempts and waits record themselves. */
export function recordSpan(spans: RunSpans, event: StepEvent): void {
  if (event.type === 'step started') spans.stepStarted(event.step)
  else if (event.type === 'step ended') spans.stepEnded(event.step, event.state, event.code)
}
