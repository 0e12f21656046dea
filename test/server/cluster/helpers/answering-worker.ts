import cluster, { type Worker } from 'node:cluster'
import { openChannel } from '../../../../src/server/cluster/channel.ts'
import { assignmentVariable } from '../../../../src/server/cluster/messages.ts'
import { readAssignment } from '../../../../src/server/cluster/read-message.ts'

/** An order of a test: to listen, or to hold the loop for four seconds. */
export type Order = 'listen' | 'block'

const assignment = readAssignment(process.env[assignmentVariable])
if (assignment === undefined) throw new Error('this is not a worker')
const channel = openChannel(cluster.worker as Worker, { ...assignment, stop() {}, ownLostLogLines: () => 0 })
channel.answers.set('runs', async text => 'ü'.repeat(Number(text)))

process.on('message', order => {
  if (order === 'listen') channel.listening(1, 0)
  if (order !== 'block') return
  const end = performance.now() + 4000
  while (performance.now() < end);
})
