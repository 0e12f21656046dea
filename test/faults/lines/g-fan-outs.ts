import type { Entry } from '../helpers/entry.ts'
import { keysApart } from '../scenes/batches.ts'
import { detached, hotKey, keptApart } from '../scenes/caches.ts'
import { apart, finished, gone, herd, leaderGone, sameConnection, slowReaders } from '../scenes/callers.ts'
import { allFail, allFailAtOnce, oneHangs } from '../scenes/fan-outs.ts'
import { hedged } from '../scenes/hedges.ts'
import { allRetried, allSlow, oneSlow, overloaded, shrinking, storm, tooManyRuns } from '../scenes/load.ts'

/** Many calls, many callers, and those who go. */
export const fanOuts: readonly Entry[] = [
  {
    no: 78,
    fault: 'a caller goes in the middle of a fan-out',
    right: 'his calls are cut, those that wait are never sent, nothing is tried again',
    play: gone,
  },
  { no: 79, fault: 'a caller is answered while others share a call of his', right: 'the call goes on', play: finished },
  {
    no: 79,
    fault: 'a caller is answered, and his connection closed, while something is fetched again because of him',
    right: 'it goes on',
    play: detached,
  },
  {
    no: 80,
    fault: 'one of four parts hangs',
    right: 'an answer at the deadline: the other three, or 504',
    play: oneHangs,
  },
  {
    no: 81,
    fault: 'all required parts fail, each in its own way',
    right: 'the first failure decides, all are listed',
    play: allFail,
  },
  {
    no: 81,
    fault: 'all required parts fail in the same moment',
    right: 'the first in the declaration decides',
    play: allFailAtOnce,
  },
  { no: 82, fault: 'the first of those who share a call goes', right: 'the others have its answer', play: leaderGone },
  { no: 83, fault: 'a thousand equal calls at once', right: 'one call to the upstream', play: herd },
  {
    no: 83,
    fault: 'a word that all want is no longer fresh',
    right: 'one call fetches it again, no call waits',
    play: hotKey,
  },
  {
    no: 84,
    fault: 'equal calls of callers with different credentials',
    right: 'never one answer for two',
    play: apart,
  },
  {
    no: 84,
    fault: 'callers with different credentials ask for what is kept',
    right: 'never what was kept for another',
    play: keptApart,
  },
  {
    no: 84,
    fault: 'callers with different credentials ask for the same 50 keys at once',
    right: 'the requests of a caller have his credentials, and two of them have all his keys',
    play: keysApart,
  },
  {
    no: 85,
    fault: 'ten times as many callers as there is room for',
    right: 'an admitted caller is answered, and a refused one gets its refusal at once',
    play: overloaded,
  },
  { no: 85, fault: 'more runs than the service takes', right: 'refused before anything is asked', play: tooManyRuns },
  {
    no: 86,
    fault: 'one upstream at which all wait',
    right: 'its queue is bounded, others wait for nothing',
    play: oneSlow,
  },
  {
    no: 87,
    fault: 'an upstream that fails every time',
    right: 'it is asked 1.2 times as often at most, and 10 a second',
    play: allRetried,
  },
  {
    no: 88,
    fault: 'an upstream that is slow for all at once',
    right: 'second attempts stay within their share',
    play: allSlow,
  },
  {
    no: 89,
    fault: 'two attempts of one call, one or both of which are bad',
    right: 'the good one is taken, the other cut, its late error has no effect',
    play: hedged,
  },
  {
    no: 90,
    fault: 'callers who never read',
    right: 'they hold no permit, and their connections are closed',
    play: slowReaders,
  },
  {
    no: 91,
    fault: 'one request of two over a connection ends, one caller of two goes',
    right: 'the other is answered',
    play: sameConnection,
  },
  { no: 92, fault: '503 to everybody', right: 'the breaker opens once and says so once', play: storm },
  { no: 92, fault: '503 beyond a few calls at once', right: 'the adaptive concurrency becomes small', play: shrinking },
]
