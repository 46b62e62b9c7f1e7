import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import express from 'express'
import { createHttpServer } from './create-http-server'

const BRIEF_MS = 50

/** A server whose idle limit is brief, and a raw connection to it. */
async function start(app: express.Express) {
  const server = createHttpServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.setTimeout(BRIEF_MS)
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.setEncoding('utf8')
  return { server, socket }
}

test('a client that says nothing in the middle of a body is cut off', async () => {
  const app = express()
  app.post('/', (req) => {
    req.resume()
    req.on('error', () => undefined)
  })
  const { server, socket } = await start(app)
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345')
  await once(socket, 'close')
  server.close()
})

test('an answer may take longer than the limit of an idle connection', async () => {
  const app = express()
  let timedOut = 0
  app.post('/', (req, res) => {
    req.resume()
    // Answers only after the server has twice noticed that nothing is said.
    req.socket.on('timeout', () => {
      timedOut++
      if (timedOut === 2) res.send('done at last')
    })
  })
  const { server, socket } = await start(app)
  socket.write('POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\n12345')
  let answer = ''
  socket.on('data', (text: string) => (answer += text))
  await once(socket, 'close')
  expect(answer).toContain('done at last')
  server.close()
})
