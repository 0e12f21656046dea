// Loaded into a target by `--import`. Records a profile from the start message to the end message and writes it to a
// file.
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

/** The message that starts or ends a recording. */
export type Recording = { readonly record: 'cpu' | 'heap'; readonly into: string } | { readonly record: 'end' }

const session = new Session()
session.connect()
let end: () => Promise<void> = () => Promise.resolve()

process.on('message', message => {
  const asked = message as Partial<Recording>
  if (asked.record === undefined) return
  const done = asked.record === 'end' ? end() : start(asked as Exclude<Recording, { record: 'end' }>)
  void done.then(() => process.send?.({ recorded: true }))
})

async function start({ record, into }: Exclude<Recording, { record: 'end' }>): Promise<void> {
  if (record === 'cpu') {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 250 })
    await session.post('Profiler.start')
    end = async () => writeFileSync(into, JSON.stringify((await session.post('Profiler.stop')).profile))
  } else {
    // Include objects that were collected during the recording, because each allocation has a cost.
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 8192,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    })
    end = async () => writeFileSync(into, JSON.stringify((await session.post('HeapProfiler.stopSampling')).profile))
  }
}
