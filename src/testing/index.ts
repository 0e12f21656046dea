/**
 * A scripted upstream and a function that runs one aggregate, for the tests of aggregates.
 *
 * @module headwaters/testing
 */
import '../check-node.ts'
export type { TestedSnapshot } from './every-snapshot.ts'
export { runAggregate, type RunAggregateOptions, type TestedReply } from './run-aggregate.ts'
export { scriptedUpstream, type ScriptedUpstream } from './scripted-upstream.ts'
export type { AnswerOptions, Script, StatusOptions } from './script.ts'
export type { Matcher } from './matcher.ts'
export type { ReceivedCall } from './received-call.ts'
