import type { Entry } from '../helpers/entry.ts'
import { drained, halfOpen, idleClosed, mixed, neverKept, restarted } from '../scenes/connections.ts'
import { poisonous, restartedWarm } from '../scenes/poison.ts'

/** The life of a connection. */
export const connections: readonly Entry[] = [
  {
    no: 71,
    fault: 'closes connections that were idle for as long as callers pause',
    right: 'no caller notices',
    play: idleClosed,
  },
  {
    no: 72,
    fault: 'vanishes without a word',
    right: 'one attempt times out, its connection is dropped, and one is no reason to stop asking',
    play: halfOpen,
  },
  { no: 73, fault: 'closes after each answer', right: 'nothing is sent twice, nothing leaks', play: neverKept },
  {
    no: 74,
    fault: 'resets all connections, is away, and comes back',
    right: 'losses only while it is away, and no more connections than its concurrency',
    play: restarted,
  },
  {
    no: 74,
    fault: 'restarts with 60 connections that have served, each of which dies of its next request',
    right: 'each call costs one repetition at most, and none is lost',
    play: restartedWarm,
  },
  {
    no: 74,
    fault: 'dies of one request, over whichever connection it comes',
    right: 'that request is sent three times, and the breaker opens when it comes again and again',
    play: poisonous,
  },
  {
    no: 75,
    fault: 'closes each connection with the answer it still owes',
    right: 'those are answered, later calls go over new connections',
    play: drained,
  },
  {
    no: 77,
    fault: 'a thousand failures of all kinds',
    right: 'no permit, no connection and no caller is left behind',
    play: mixed,
  },
]
