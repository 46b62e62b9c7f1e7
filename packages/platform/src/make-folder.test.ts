import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { makeFolder } from './make-folder'

let root: string

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'billtrail-folder-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('a folder is made with those above it, also by two at once, and again', async () => {
  const folder = path.join(root, 'a', 'b', 'c')
  await Promise.all([makeFolder(folder), makeFolder(folder)])
  await makeFolder(folder)
  expect((await stat(folder)).isDirectory()).toBe(true)
})

test('a file where the folder, or one above it, should be is an error', async () => {
  const file = path.join(root, 'file')
  await writeFile(file, '')
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(path.join(file, 'below'))).rejects.toMatchObject({ code: 'EEXIST' })
})
