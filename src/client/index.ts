/**
 * A client of streams for browsers and Node.js. It imports nothing.
 *
 * @module headwaters/client
 */
export { openStream, type EventStream } from './open-stream.ts'
export type { StreamRequest } from './stream-request.ts'
export { StreamCut, StreamProblem } from './failures.ts'
export type {
  CallEvent,
  ItemEvent,
  PlanEvent,
  PlannedCall,
  PlannedStep,
  ProblemBody,
  ProblemEvent,
  ReceivedEvent,
  ReplyBody,
  ReplyEvent,
  SnapshotEvent,
  SourceEvent,
  SourceOutcome,
  StreamEvent,
} from './types.ts'
