"""The original's design: FastAPI, two coroutines joined by a queue of 3.

What penstock came from, so far as it stores uploads: the reader takes chunks
from the request's stream and puts them, the writer gets them and writes them
on a thread (as aiofiles does).  It stores under a random name and keeps what
was stored before.
"""
import asyncio
import os
import uuid

from fastapi import FastAPI, Request

app = FastAPI()
DIRECTORY = os.environ["ORIGINAL_DIR"]


async def read(request, queue):
    async for chunk in request.stream():
        await queue.put(chunk)
    await queue.join()


async def write(path, queue):
    run = asyncio.get_running_loop().run_in_executor
    file = await run(None, open, path, "wb", 0)
    try:
        while True:
            chunk = await queue.get()
            await run(None, file.write, chunk)
            queue.task_done()
    finally:
        file.close()


@app.post("/file", status_code=201)
async def post(request: Request):
    queue = asyncio.Queue(3)
    path = os.path.join(DIRECTORY, uuid.uuid4().hex)
    writer = asyncio.create_task(write(path, queue))
    await read(request, queue)
    writer.cancel()
    return {"name": os.path.basename(path)}
